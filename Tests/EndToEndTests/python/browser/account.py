"""The account: what is changed there, where one is signed in, and identity providers."""

from walker import OTHER_PASSWORD, PASSWORD


def change_password(walker):
    """Another password; the old one is asked for."""
    address = walker.user("ada")
    walker.sign_in(address)
    walker.press("a[href$='account/password']")
    walker.look("password-change")
    walker.submit(current="not this one", password=OTHER_PASSWORD)
    walker.look("password-change-refused")
    walker.submit(current=PASSWORD, password=OTHER_PASSWORD)
    walker.look("account-password-changed")
    walker.says("Your password is changed.", "Ihr Passwort ist geändert.", "the account")
    walker.go("/sign-out")
    walker.submit()
    walker.sign_in(address, OTHER_PASSWORD)


def change_address(walker):
    """Another address by the code; then its owner takes the change back by the mail at the old one."""
    address, other = walker.user("ada"), walker.address("new")
    walker.sign_in(address)
    walker.press("a[href$='account/email']")
    walker.look("email-change")
    walker.submit(email=address, password=PASSWORD)
    walker.look("email-change-refused")
    walker.submit(email=other, password=PASSWORD)
    walker.look("email-change-code")
    link, code = walker.secrets(other)
    phone = walker.elsewhere()
    phone.goto(link)
    walker.expect(phone.query_selector("form") is None, "the link elsewhere has a form", phone)
    walker.submit(code=code)
    walker.expect(walker.at("/account") and other in walker.page.inner_text("body"), "the address is the old one")
    undo, _ = walker.secrets(address)
    phone.goto(undo)
    walker.look("undo-link", phone)
    walker.submit(phone, password=OTHER_PASSWORD)
    walker.look("undo-done", phone)
    walker.go("/account")
    walker.expect(walker.at("/sign-in"), "whoever changed the address is still signed in")
    walker.sign_in(address, OTHER_PASSWORD)


def change_address_by_link(walker):
    """Another address by the link, in the browser that asked."""
    address, other = walker.user("ada"), walker.address("new")
    walker.sign_in(address)
    walker.go("/account/email")
    walker.submit(email=other, password=PASSWORD)
    link, _ = walker.secrets(other)
    walker.go(link)
    walker.look("email-change-link")
    walker.submit()
    walker.look("email-change-done")
    walker.go("/account")
    walker.expect(other in walker.page.inner_text("body"), "the address is the old one")


def sessions(walker):
    """Sessions are listed, one is ended, then all others; then this one."""
    address = walker.user("edith")
    phone, laptop = walker.elsewhere(), walker.elsewhere()
    for page in (phone, laptop):
        page.goto(f"{walker.hosted}/sign-in")
        walker.submit(page, email=address, password=PASSWORD)
    walker.sign_in(address)
    walker.look("account-sessions")
    walker.expect(walker.page.locator("form[action$='/end']").count() == 2, "there are not two other sessions")
    walker.press("form[action$='/end'] button")
    walker.expect(walker.page.locator("form[action$='/end']").count() == 1, "the session is still there")
    walker.press("form[action$='end-others'] button")
    walker.expect(walker.page.locator("form[action$='/end']").count() == 0, "the others are still there")
    for page in (phone, laptop):
        page.goto(f"{walker.hosted}/account")
        walker.expect("/sign-in" in page.url, "an ended session shows the account", page)
    walker.press("form[action$='sign-out'] button")
    walker.look("sign-out")
    walker.submit()
    walker.look("signed-out")
    walker.go("/account")
    walker.expect(walker.at("/sign-in"), "whoever signed out sees the account")


def consent(walker):
    """A client of a third party: the page asks, a no goes back, a yes is taken back on the account's page."""
    address = walker.user("ada")
    walker.change_client(party="third_party")
    try:
        walker.authorize(scope="openid email profile")
        walker.submit(email=address, password=PASSWORD)
        walker.expect(walker.at("/consent"), "nobody is asked")
        walker.expect(address in walker.page.inner_text("body"), "the page does not say who is asked")
        walker.look("consent")
        walker.press("button[value=cancel]")
        walker.expect("error=access_denied" in walker.page.url, "the client is not told no")
        wanted = walker.authorize(scope="openid email")
        walker.submit(email=address, password=PASSWORD)
        walker.press("button[value=allow]")
        walker.take_answer(*wanted)
        walker.go("/account")
        walker.look("account-consents")
        walker.press("form[action$='/revoke'] button")
        walker.look("account-consent-revoked")
        walker.says("The service has no access any more", "Der Dienst hat keinen Zugang mehr", "taking consent back")
        walker.expect(walker.page.locator("form[action$='/revoke']").count() == 0, "the service still has access")
    finally:
        walker.change_client(party="first_party")


def to_provider(walker, selector="form[action*='/providers/upstream/start'] button"):
    """Presses a button that leads to the provider and says yes; its form is sent by itself where scripts run."""
    walker.press(selector)
    walker.expect(walker.page.url.startswith(walker.provider.issuer), "the button does not lead to the provider")
    if not walker.provider.posts:
        return walker.press("#yes")
    walker.page.click("#yes")
    if not walker.view["scripts"]:
        walker.page.click("noscript button, form button")
    walker.page.wait_for_url(lambda url: not url.startswith(walker.provider.issuer))


def provider_opens_an_account(walker):
    """Somebody new comes by the provider from the sign-up page; it is their only way in, so it stays."""
    address = walker.address("lake")
    walker.provider.becomes(address)
    walker.go("/sign-up")
    to_provider(walker)
    walker.expect(walker.at("/account"), "the provider's answer does not end at the account")
    walker.look("account-of-provider")
    walker.press("form[action$='/unlink'] button")
    walker.look("account-last-way")
    walker.says("Set a password first.", "Setzen Sie zuerst ein Passwort.", "unlinking the last way")
    walker.go("/account/password")
    walker.look("password-first")
    walker.press("a.button")
    walker.submit(email=address)
    _, code = walker.secrets(address)
    walker.submit(code=code, password=OTHER_PASSWORD)
    walker.sign_in(address, OTHER_PASSWORD)
    walker.press("form[action$='/unlink'] button")
    walker.look("account-unlinked")


def provider_of_a_known_address(walker):
    """The address has an account: whoever signs in to it once has the provider linked, and then comes by it alone."""
    address = walker.user("lake")
    walker.provider.becomes(address)
    wanted = walker.authorize()
    to_provider(walker)
    walker.look("provider-link")
    walker.press("a.button")
    walker.submit(email=address, password=PASSWORD)
    walker.take_answer(*wanted)
    walker.context.clear_cookies()
    wanted = walker.authorize()
    to_provider(walker)
    walker.take_answer(*wanted)


def provider_is_linked(walker):
    """From the account's page, after signing in once more; another address of the provider's does not matter."""
    address = walker.user("edith")
    walker.provider.becomes(walker.address("elsewhere"))
    walker.sign_in(address)
    walker.world.age_sessions(address)
    walker.press("form[action$='/link'] button")
    walker.look("sign-in-again")
    walker.press("a.button")
    walker.submit(password=PASSWORD)
    to_provider(walker, "form[action$='/link'] button")
    walker.look("account-linked")
    walker.says("It is linked.", "Es ist verbunden.", "the account")
    walker.go("/sign-out")
    walker.submit()
    walker.go("/sign-in")
    to_provider(walker)
    walker.expect(address in walker.page.inner_text("body"), "the provider leads to another account")


def provider_declines(walker):
    """The provider does not sign in, or does not answer for the address."""
    walker.provider.becomes(walker.address("lake"), declines=True)
    walker.authorize()
    to_provider(walker)
    walker.look("provider-failed")
    walker.provider.becomes(walker.address("lake"), is_verified=False)
    walker.press("a.button")
    to_provider(walker)
    walker.look("provider-unverified")


def provider_sends_a_form(walker):
    """Apple's way: the answer comes as a form of the provider's site, without our cookies, and signs in as well."""
    walker.provider.becomes(walker.address("apple"), posts=True)
    wanted = walker.authorize()
    to_provider(walker)
    walker.take_answer(*wanted)
    walker.go("/account")
    walker.expect(walker.at("/account"), "the browser is not signed in to the account")


WALKS = [
    change_password, change_address, change_address_by_link, sessions, provider_opens_an_account,
    provider_of_a_known_address, provider_is_linked, provider_declines, provider_sends_a_form, consent,
]
