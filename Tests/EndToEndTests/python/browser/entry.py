"""The ways in: signing up, signing in, forgotten passwords, and what goes wrong there."""

from walker import OTHER_PASSWORD, PASSWORD


def sign_up_by_link(walker):
    """Sign-up, its mail, the link in the same browser: verified, and signed in to the account."""
    address = walker.address("ada")
    walker.go("/sign-in")
    walker.look("sign-in")
    walker.press("a[href*='sign-up']")
    walker.look("sign-up")
    walker.submit(email=address, password="password password")
    walker.look("sign-up-refused")
    walker.submit(email=address, password=PASSWORD)
    walker.look("check-mail")
    link, _ = walker.secrets(address)
    walker.press("form[action*=resend] button")
    walker.look("check-mail-again")
    again, _ = walker.secrets(address)
    walker.expect(again == link, "the second mail has another link")
    scan(walker, link)
    walker.go(link)
    walker.look("link-confirm")
    walker.submit()
    walker.expect(walker.at("/account"), "the link does not end at the account")
    walker.look("account")


def scan(walker, link):
    """A scanner opens a link, with scripts, and looks at it by HEAD; nothing may be used up by that."""
    walker.expect(walker.context.request.head(link.replace(walker.base, walker.api_base)).ok, "HEAD is refused")
    scanner = walker.world.browser.new_context(java_script_enabled=True).new_page()
    for _ in range(2):
        scanner.goto(link)
    scanner.context.close()


def sign_up_by_code(walker):
    """The same by the typed code, for a client that waits."""
    address = walker.address("grace")
    wanted = walker.authorize(login_hint=address)
    walker.press("a[href*='sign-up']")
    walker.expect(walker.page.input_value("[name=email]") == address, "the hint is not in the form")
    walker.submit(password=PASSWORD)
    _, code = walker.secrets(address)
    walker.submit(code="12345678" if code != "12345678" else "87654321")
    walker.look("check-mail-wrong-code")
    walker.submit(code=code)
    walker.take_answer(*wanted)


def link_of_a_sign_up(walker):
    """The link of a sign-up that was begun elsewhere: it asks for a password, refuses a weak one, works once."""
    address = walker.address("ada")
    walker.api("sign-ups", email=address, password=PASSWORD)
    # What the API call may have left in the browser is not there on another device.
    walker.context.clear_cookies()
    link, _ = walker.secrets(address)
    walker.go(link)
    walker.look("link-choose-password")
    walker.submit(password="passwordpassword")
    walker.look("link-weak-password")
    walker.submit(password=OTHER_PASSWORD)
    walker.look("link-done")
    walker.go(link)
    walker.look("link-gone")


def sign_in_by_password(walker):
    """From a client to the sign-in page and back with a code that is worth a token; a wrong password first."""
    address = walker.user("grace")
    wanted = walker.authorize(login_hint=address)
    walker.look("sign-in-of-client")
    walker.submit(password="a wrong lantern on the wall")
    walker.look("sign-in-refused")
    walker.submit(email=address, password=PASSWORD)
    walker.take_answer(*wanted)


def sign_in_by_mail(walker):
    """The link signs in where it was asked for, tells every other browser to type the code, and survives scanners."""
    address = walker.user("edith")
    walker.go("/sign-in")
    walker.press("a[href*='sign-in/email']")
    walker.look("mail-sign-in")
    walker.submit(email=address)
    walker.look("mail-code")
    link, _ = walker.secrets(address)
    phone = walker.elsewhere()
    phone.goto(link)
    walker.look("mail-link-elsewhere", phone)
    walker.expect(phone.query_selector("form") is None, "there is a form to press elsewhere", phone)
    scan(walker, link)
    walker.go(link)
    walker.look("mail-link-sign-in")
    walker.submit()
    walker.expect(walker.at("/account"), "the link does not sign in")


def sign_in_by_code(walker):
    """The code of the mail, typed for a client that waits."""
    address = walker.user("edith")
    wanted = walker.authorize()
    walker.press("a[href*='sign-in/email']")
    walker.submit(email=address)
    link, code = walker.secrets(address)
    walker.elsewhere().goto(link)
    walker.submit(code="00000000" if code != "00000000" else "11111111")
    walker.look("mail-code-wrong")
    walker.submit(code=code)
    walker.take_answer(*wanted)


def reset_by_link(walker):
    """A forgotten password, by the link, on another device."""
    address = walker.user("mary")
    walker.go("/sign-in")
    walker.press("a[href*='password-reset']")
    walker.look("reset")
    walker.submit(email=address)
    walker.look("reset-code")
    link, _ = walker.secrets(address)
    scan(walker, link)
    phone = walker.elsewhere()
    phone.goto(link)
    walker.look("reset-link", phone)
    walker.submit(phone, password="short")
    walker.look("reset-link-weak", phone)
    walker.submit(phone, password=OTHER_PASSWORD)
    walker.look("reset-done", phone)
    phone.goto(link)
    walker.look("mail-link-gone", phone)
    walker.sign_in(address, OTHER_PASSWORD)


def reset_by_code(walker):
    """The same by the code, where it was asked for."""
    address = walker.user("mary")
    walker.go("/password-reset")
    walker.submit(email=address)
    _, code = walker.secrets(address)
    walker.submit(code=code, password=OTHER_PASSWORD)
    walker.press("a.button")
    walker.submit(email=address, password=OTHER_PASSWORD)
    walker.expect(walker.at("/account"), "the new password does not sign in")


def errors(walker):
    """What a person sees who comes by a wrong way."""
    walker.go(f"{walker.base}/apps/app_00000000000000000000000000/links/x")
    walker.look("error-app")
    walker.go("/sign-in?request=arq_00000000000000000000000000")
    walker.look("error-request")
    walker.authorize(redirect_uri="https://elsewhere.example/")
    walker.look("error-redirect")
    walker.go("/sign-up/mail?flow=nothing")
    walker.says("Begin again.", "Beginnen Sie neu.", "an unknown flow")
    walker.go(f"{walker.provider.issuer}/foreign-form?to={walker.hosted}/sign-out")
    walker.press("button")
    walker.says("a page of ours", "von einer Seite von uns", "a form of another site")


def invitation(walker):
    """An invitation to administer: its page, and its end."""
    # An operator has invited one person for each view; the link leads to the built-in app.
    link, _ = walker.secrets(walker.question["invited"].pop())
    scan(walker, link)
    walker.go(link)
    walker.look("invitation")
    walker.submit(password=PASSWORD)
    walker.look("invitation-done")


WALKS = [
    sign_up_by_link, sign_up_by_code, link_of_a_sign_up, sign_in_by_password, sign_in_by_mail, sign_in_by_code,
    reset_by_link, reset_by_code, errors, invitation,
]
