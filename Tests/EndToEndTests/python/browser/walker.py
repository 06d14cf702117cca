"""A person with a browser of their own, the mails that they get, and the client that they come from."""

import base64
import email
import email.policy
import hashlib
import pathlib
import re
import secrets
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from axe_playwright_python.sync_playwright import Axe

PASSWORD = "seven lanterns over quiet water"
OTHER_PASSWORD = "eleven herons above a cold estuary"

PHONE, DESKTOP = (390, 844), (1280, 800)

# Two views of a pair show a page in each setting once: with and without scripts, small and large, light and dark, in
# both languages.
PAIRS = [
    [
        {"name": "desktop-light-en", "size": DESKTOP, "scheme": "light", "locale": "en-GB", "scripts": True},
        {"name": "phone-dark-de", "size": PHONE, "scheme": "dark", "locale": "de-DE", "scripts": False},
    ],
    [
        {"name": "phone-light-de", "size": PHONE, "scheme": "light", "locale": "de-DE", "scripts": True},
        {"name": "desktop-dark-en", "size": DESKTOP, "scheme": "dark", "locale": "en-GB", "scripts": False},
    ],
]


class Client:
    """A client of the app: a page that takes the code, and the exchange of it."""

    def __init__(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(b"<!doctype html><html lang=en><title>App</title><h1>Signed in</h1></html>")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.redirect_uri = f"http://127.0.0.1:{self.server.server_port}/callback"

    def close(self):
        self.server.shutdown()


class Walker:
    """A browser of its own in one view, and what it has seen."""

    def __init__(self, world, view):
        self.world, self.view = world, view
        self.question, self.client, self.provider = world.question, world.client, world.provider
        self.base, self.api_base, self.app = world.question["url"], world.question["api"], world.question["app"]
        self.hosted = f"{self.base}/apps/{self.app}"
        self.wrong, self.mails_read, self.others = [], {}, []
        self.context = self.new_context()
        self.page = self.context.new_page()
        self.page.on("console", self.complain)

    def new_context(self):
        """A browser that has been nowhere, in the same view."""
        width, height = self.view["size"]
        context = self.world.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=self.view["scheme"],
            locale=self.view["locale"], java_script_enabled=self.view["scripts"], is_mobile=width < 600,
            has_touch=width < 600, reduced_motion="reduce")
        context.set_default_timeout(30_000)
        return context

    def elsewhere(self):
        """A page in another browser."""
        self.others.append(self.new_context())
        return self.others[-1].new_page()

    def complain(self, message):
        if message.type == "error" and "status of 4" not in message.text:
            self.wrong.append(f"{self.view['name']}: the console says: {message.text}")

    def expect(self, truth, what, page=None):
        page = page or self.page
        if not truth:
            shown = page.inner_text("body")[:300]
            self.wrong.append(f"{self.view['name']}: {what} (at {page.url}: {shown})")

    def says(self, english, german, what):
        """Whether the page says this in its reader's language."""
        text = english if self.view["locale"].startswith("en") else german
        self.expect(text in self.page.inner_text("body"), f"{what}: {text!r} is not there")

    def look(self, name, page=None):
        """Holds what is shown against what every page must be, and keeps a picture of it."""
        page, violations = page or self.page, []
        # Without scripts the page is the same text, and axe, which is one, would wait for ever.
        if self.view["scripts"]:
            other = "dark" if self.view["scheme"] == "light" else "light"
            violations += self.violations(page)
            page.emulate_media(color_scheme=other)
            violations += [f"{other}: {found}" for found in self.violations(page, only="color-contrast")]
            page.emulate_media(color_scheme=self.view["scheme"])
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > self.view["size"][0]:
            violations.append(f"it is {width} wide")
        lang = page.get_attribute("html", "lang")
        if lang != self.view["locale"][:2]:
            violations.append(f"its language is {lang}")
        # What has no text shows its own name, and a mistake in a template shows its braces.
        if "{" in page.inner_text("body") or "{" in page.title():
            violations.append("a placeholder is left")
        self.world.seen.append({"page": name, "view": self.view["name"], "violations": violations})
        folder = pathlib.Path(self.question["screenshots"])
        page.screenshot(path=folder / f"{name}-{self.view['name']}.png", full_page=True)

    def violations(self, page, only=None):
        options = {"runOnly": {"type": "rule", "values": [only]}} if only else None
        return [
            f"{found['id']} ({found['impact']}): {[node['html'][:120] for node in found['nodes']][:3]}"
            for found in Axe().run(page, options=options).response["violations"]
            if found["impact"] in ("serious", "critical")
        ]

    def go(self, path):
        self.page.goto(path if path.startswith("http") else self.hosted + path)

    def press(self, selector, page=None):
        """Presses what leads to another page."""
        page = page or self.page
        with page.expect_navigation():
            page.click(selector)

    def submit(self, page=None, **fields):
        """Fills the page's first form in and sends it."""
        page = page or self.page
        for name, value in fields.items():
            page.fill(f"main form [name={name}]", value)
        self.press("main form button[type=submit]", page)

    def at(self, path):
        """Whether the browser is at a page of the app."""
        return self.page.url.split("?")[0] == self.hosted + path

    def mail(self, address):
        """The next mail to an address that has not been read here, as plain text."""
        count = self.mails_read.get(address, 0)
        for _ in range(1200):
            mails = self.world.mails(address)
            if len(mails) > count:
                self.mails_read[address] = count + 1
                return mails[count]
            time.sleep(0.05)
        raise TimeoutError(f"no mail to {address}")

    def secrets(self, address):
        """The link and the code of the next mail."""
        text = self.mail(address)
        code = re.search(r"\b[0-9]{8}\b", text)
        return re.search(r"https?://\S+/links/\S+", text).group(0), code.group(0) if code else None

    def address(self, name):
        # Ten digits at most: eight of them would look like a code.
        return f"{name}-{secrets.token_hex(5)}@example.com"

    def api(self, path, **fields):
        return self.context.request.post(f"{self.api_base}/v1/apps/{self.app}/{path}", data=fields)

    def user(self, name):
        """Somebody who has an account with a password, opened elsewhere."""
        address = self.address(name)
        begun = self.api("sign-ups", email=address, password=PASSWORD).json()
        _, code = self.secrets(address)
        done = self.api("sign-ups/verify", flow=begun["flow"], flow_token=begun["flow_token"], code=code)
        self.expect(done.status == 200, f"the sign-up was answered {done.status}")
        self.context.clear_cookies()
        return address

    def sign_in(self, address, password=PASSWORD):
        self.go("/sign-in")
        self.submit(email=address, password=password)
        self.expect(self.at("/account"), "the sign-in does not lead to the account")

    def authorize(self, **more):
        """Comes from the client; what it will need to take the answer."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urllib.parse.urlencode({
            "response_type": "code", "client_id": self.question["client"], "redirect_uri": self.client.redirect_uri,
            "state": state, "code_challenge": challenge, "code_challenge_method": "S256", **more,
        })
        self.go(f"/oauth/authorize?{query}")
        return state, verifier

    def take_answer(self, state, verifier):
        """Exchanges what the client was answered."""
        self.expect(self.page.url.startswith(self.client.redirect_uri), "it does not lead back to the client")
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.page.url).query))
        self.expect(answer.get("state") == state, "the state came back changed")
        self.expect(answer.get("iss") == self.hosted, "the issuer is another")
        tokens = self.context.request.post(f"{self.api_base}/apps/{self.app}/oauth/token", form={
            "grant_type": "authorization_code", "code": answer.get("code", ""), "code_verifier": verifier,
            "client_id": self.question["client"], "redirect_uri": self.client.redirect_uri,
        })
        self.expect(tokens.status == 200 and "access_token" in tokens.json(), f"no token: {tokens.text()}")

    def change_client(self, **fields):
        """Changes the client, as an admin does."""
        path = f"/v1/admin/apps/{self.app}/clients/{self.question['client']}"
        answer = self.context.request.patch(
            self.api_base + path, headers={"Authorization": f"Bearer {self.question['key']}"}, data=fields)
        self.expect(answer.status == 200, f"the client was not changed: {answer.text()}")

    def close(self):
        for context in [self.context, *self.others]:
            context.close()


class World:
    """What all walks have in common."""

    def __init__(self, question, browser, client, provider):
        self.question, self.browser, self.client, self.provider = question, browser, client, provider
        self.seen = []

    def mails(self, address):
        """The mails to an address that the relay has taken, in order, as plain text."""
        found = []
        for file in sorted(pathlib.Path(self.question["mails"]).glob("*.eml")):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if address in mail["to"]:
                found.append(mail.get_body(("plain",)).get_content())
        return found

    def age_sessions(self, address):
        """Lets an hour pass since somebody signed in."""
        statement = (
            "update sessions set authenticated_at = authenticated_at - interval '1 hour' where user_id in "
            f"(select id from users where email = '{address}')")
        subprocess.run(["psql", "-qX", "-d", self.question["database"], "-c", statement], check=True)
