"""The second factor: set up, asked for at the next sign-in, lost, removed; and set up on the way to a client."""

import base64
import hashlib
import hmac
import io
import re
import struct
import time
import urllib.parse

import zxingcpp
from PIL import Image

from walker import PASSWORD


def code(key, ahead=0):
    """What an authenticator shows that has this key (RFC 6238); each of its codes is taken once."""
    seed = base64.b32decode(key.replace(" ", ""))
    digest = hmac.new(seed, struct.pack(">Q", int(time.time()) // 30 + ahead), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[-1] & 15:][:4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def scanned_key(walker):
    """The key as a camera reads it off the screen: dark on light, as many readers find no other."""
    picture = Image.open(io.BytesIO(walker.page.screenshot(full_page=True)))
    found = [code.text for code in zxingcpp.read_barcodes(picture, try_invert=False)]
    link = walker.page.get_attribute("main a[href^='otpauth:']", "href")
    walker.expect(found == [link], f"a camera reads {found}, and the link is {link}")
    name = "QR code of the key" if walker.view["locale"].startswith("en") else "QR-Code des Schlüssels"
    walker.expect(walker.page.get_by_role("img", name=name).count() == 1, "the picture has no name")
    key = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["secret"][0]
    typed = walker.page.inner_text(".secret").replace(" ", "")
    walker.expect(typed == key, "the picture has another key than the text")
    return key


def recovery_codes(walker):
    return re.findall(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){5}\b", walker.page.inner_text("body"))


def account_factor(walker):
    """On the account's page; the next sign-in asks for it, and a recovery code helps who has lost it."""
    address = walker.user("ada")
    walker.sign_in(address)
    walker.press("a[href$='account/factor']")
    walker.look("account-factor-off")
    walker.submit(password="not this one")
    walker.look("account-factor-refused")
    walker.submit(password=PASSWORD)
    walker.look("factor-enrol")
    key = scanned_key(walker)
    walker.submit(code="000000")
    walker.look("factor-enrol-refused")
    walker.submit(code=code(key))
    walker.look("factor-codes")
    codes = recovery_codes(walker)
    walker.expect(len(codes) == 10, f"there are {len(codes)} recovery codes")
    walker.press("main a[href$='/account']")
    walker.press("a[href$='account/factor']")
    walker.look("account-factor-on")
    walker.go("/sign-out")
    walker.submit()

    walker.go("/sign-in")
    walker.submit(email=address, password=PASSWORD)
    walker.expect(walker.at("/sign-in/factor"), "the password alone signs in")
    walker.look("factor-code")
    walker.go("/account")
    walker.expect(walker.at("/sign-in"), "the password alone shows the account")
    walker.go("/sign-in/factor")
    walker.submit(code="000000")
    walker.look("factor-code-refused")
    walker.submit(code=code(key, ahead=1))
    walker.expect(walker.at("/account"), "the code does not lead to the account")
    walker.go("/sign-out")
    walker.submit()

    walker.go("/sign-in")
    walker.submit(email=address, password=PASSWORD)
    walker.press("a[href$='recovery=1']")
    walker.look("factor-recovery")
    walker.submit(code=codes[0])
    walker.expect(walker.at("/account"), "the recovery code does not lead to the account")
    walker.go("/account/factor")
    walker.page.fill("[name=password]", PASSWORD)
    walker.page.fill("[name=code]", codes[1])
    walker.press("button[formaction$='/remove']")
    walker.look("account-factor-removed")
    walker.go("/sign-out")
    walker.submit()
    walker.sign_in(address)


def factor_for_a_client(walker):
    """A client that asks for it, of somebody who has none: it is set up on the way."""
    address = walker.user("edith")
    wanted = walker.authorize(acr_values="mfa")
    walker.submit(email=address, password=PASSWORD)
    walker.look("factor-begin")
    walker.submit()
    walker.submit(code=code(scanned_key(walker)))
    walker.expect(len(recovery_codes(walker)) == 10, "there are not ten recovery codes")
    walker.look("factor-codes-on-the-way")
    walker.submit()
    walker.take_answer(*wanted)


def factor_and_consent(walker):
    """A client of a third party that asks for the factor: password, authenticator, question, and then the answer."""
    address = walker.user("grace")
    walker.change_client(party="third_party")
    try:
        walker.authorize(scope="openid email", acr_values="mfa")
        walker.submit(email=address, password=PASSWORD)
        walker.submit()
        key = scanned_key(walker)
        walker.submit(code=code(key))
        walker.submit()
        walker.expect(walker.at("/consent"), "the factor does not lead to the question")
        walker.expect(address in walker.page.inner_text("body"), "the page does not say who is asked")
        walker.press("button[value=cancel]")
        walker.expect("error=access_denied" in walker.page.url, "the client is not told no")
        walker.go("/sign-out")
        walker.submit()

        wanted = walker.authorize(scope="openid email")
        walker.submit(email=address, password=PASSWORD)
        walker.expect(walker.at("/sign-in/factor"), "the password leads past the factor")
        walker.submit(code=code(key, ahead=1))
        walker.expect(walker.at("/consent"), "a no was remembered as a yes")
        walker.press("button[value=allow]")
        walker.take_answer(*wanted)
    finally:
        walker.change_client(party="first_party")


WALKS = [account_factor, factor_for_a_client, factor_and_consent]
