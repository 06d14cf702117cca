"""Walks a person's browser, Debian's Chromium, through the hosted pages, and looks whether everybody can use them.

Reads a question in JSON: where Gatepost is, an app with its client, and a key that opens the app's captured mails. Each
walk is taken in each view: with and without scripts, on a phone and on a desktop, in two languages, light and dark. On
every page axe looks for what keeps people out. Answers with the pages that were seen and everything that was wrong.
"""

import base64
import hashlib
import json
import pathlib
import re
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

PASSWORD = "seven lanterns over quiet water"

VIEWS = [
    {"name": "desktop-light-en", "size": (1280, 800), "scheme": "light", "locale": "en-GB", "scripts": True},
    {"name": "phone-dark-de", "size": (390, 844), "scheme": "dark", "locale": "de-DE", "scripts": True},
    {"name": "phone-light-en", "size": (390, 844), "scheme": "light", "locale": "en-GB", "scripts": False},
    {"name": "desktop-dark-de", "size": (1280, 800), "scheme": "dark", "locale": "de-DE", "scripts": False},
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

    def __init__(self, question, browser, view, client, seen):
        self.question, self.view, self.client, self.seen = question, view, client, seen
        self.base, self.api_base, self.app = question["url"], question["api"], question["app"]
        width, height = view["size"]
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=view["scheme"], locale=view["locale"],
            java_script_enabled=view["scripts"], is_mobile=width < 600, has_touch=width < 600, reduced_motion="reduce")
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complain(message))
        self.wrong = []

    def complain(self, message):
        if message.type == "error" and "status of 4" not in message.text:
            self.wrong.append(f"{self.view['name']}: the console says: {message.text}")

    def expect(self, truth, what):
        if not truth:
            self.wrong.append(f"{self.view['name']}: {what} (at {self.page.url}: {self.text()[:300]})")

    def text(self):
        return self.page.inner_text("body")

    def look(self, name):
        """Holds what is shown against what every page must be, and keeps a picture of it."""
        page, violations = self.page, []
        # Without scripts the page is the same text, and axe, which is one, would wait for ever.
        if self.view["scripts"]:
            violations = [
                f"{found['id']} ({found['impact']}): {[node['html'][:120] for node in found['nodes']][:3]}"
                for found in Axe().run(page).response["violations"] if found["impact"] in ("serious", "critical")
            ]
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > self.view["size"][0]:
                violations.append(f"it is {width} wide")
        lang = page.get_attribute("html", "lang")
        if lang != self.view["locale"][:2]:
            violations.append(f"its language is {lang}")
        self.seen.append({"page": name, "view": self.view["name"], "violations": violations})
        folder = pathlib.Path(self.question["screenshots"])
        page.screenshot(path=folder / f"{name}-{self.view['name']}.png", full_page=True)

    def submit(self, **fields):
        """Fills the form in and sends it."""
        for name, value in fields.items():
            self.page.fill(f"main form [name={name}]", value)
        with self.page.expect_navigation():
            self.page.click("main form button[type=submit]")

    def mail(self, address):
        """The newest captured mail to an address."""
        headers = {"Authorization": f"Bearer {self.question['key']}"}
        path = f"{self.api_base}/v1/admin/apps/{self.app}/captured-mails"
        for _ in range(400):
            listed = self.context.request.get(path, params={"address": address}, headers=headers)
            items = listed.json().get("items", [])
            if items:
                opened = self.context.request.get(f"{path}/{items[0]['id']}", headers=headers)
                return opened.json()["text"]
            time.sleep(0.05)
        raise TimeoutError(f"no mail to {address}")

    def link(self, address):
        return re.search(r"https?://\S+/links/\S+", self.mail(address)).group(0)

    def code(self, address):
        return re.search(r"\b[0-9]{8}\b", self.mail(address)).group(0)

    def address(self, name):
        return f"{name}-{secrets.token_hex(4)}@example.com"

    def api(self, path, **fields):
        return self.context.request.post(f"{self.api_base}/v1/apps/{self.app}/{path}", data=fields)

    def close(self):
        self.context.close()


def link_of_a_sign_up(walker):
    """The link of a sign-up that was begun elsewhere: it asks for a password, refuses a weak one, works once."""
    email = walker.address("ada")
    began = walker.api("sign-ups", email=email, password=PASSWORD)
    walker.expect(began.status == 202, f"the sign-up was answered {began.status}")
    # What the API call may have left in the browser is not there on another device.
    walker.context.clear_cookies()
    link = walker.link(email)
    walker.page.goto(link)
    walker.look("link-choose-password")
    walker.submit(password="passwordpassword")
    walker.look("link-weak-password")
    walker.submit(password="eleven herons above a cold estuary")
    walker.look("link-done")
    walker.page.goto(link)
    walker.look("link-gone")


def errors(walker):
    """What a person sees who comes by a wrong way."""
    walker.page.goto(f"{walker.base}/apps/app_00000000000000000000000000/links/x")
    walker.look("error")


def sign_in(walker):
    """From a client to the sign-in page and back with a code that is worth a token."""
    email = walker.address("grace")
    walker.api("sign-ups", email=email, password=PASSWORD)
    link = walker.link(email)
    walker.context.clear_cookies()
    walker.page.goto(link)
    walker.submit(password=PASSWORD)
    state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = urllib.parse.urlencode({
        "response_type": "code", "client_id": walker.question["client"], "redirect_uri": walker.client.redirect_uri,
        "state": state, "code_challenge": challenge, "code_challenge_method": "S256", "login_hint": email,
    })
    walker.page.goto(f"{walker.base}/apps/{walker.app}/oauth/authorize?{query}")
    walker.look("sign-in")
    walker.expect(walker.page.input_value("[name=email]") == email, "the hint is not in the form")
    walker.submit(password="a wrong lantern on the wall")
    walker.look("sign-in-refused")
    walker.submit(email=email, password=PASSWORD)
    walker.expect(walker.page.url.startswith(walker.client.redirect_uri), "it does not lead back to the client")
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(walker.page.url).query))
    walker.expect(answer.get("state") == state, "the state came back changed")
    walker.expect(answer.get("iss") == f"{walker.base}/apps/{walker.app}", "the issuer is another")
    tokens = walker.context.request.post(f"{walker.api_base}/apps/{walker.app}/oauth/token", form={
        "grant_type": "authorization_code", "code": answer.get("code", ""), "code_verifier": verifier,
        "client_id": walker.question["client"], "redirect_uri": walker.client.redirect_uri,
    })
    walker.expect(tokens.status == 200 and "access_token" in tokens.json(), f"no token: {tokens.text()}")


# Each with the path of the document that it needs.
WALKS = [
    (link_of_a_sign_up, "/apps/{app}/links/{token}"),
    (errors, "/apps/{app}/links/{token}"),
    (sign_in, "/apps/{app}/oauth/authorize"),
]


def main():
    question = json.load(sys.stdin)
    pathlib.Path(question["screenshots"]).mkdir(parents=True, exist_ok=True)
    seen, wrong, walked = [], [], []
    client = Client()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        reader = browser.new_context()
        paths = reader.request.get(f"{question['api']}/openapi.json").json()["paths"]
        for walk, path in WALKS:
            if path not in paths:
                continue
            for view in VIEWS:
                walker = Walker(question, browser, view, client, seen)
                try:
                    walk(walker)
                    walked.append(f"{walk.__name__} {view['name']}")
                except Exception as error:  # What a walk dies of is what the test must say.
                    walker.expect(False, f"{walk.__name__}: {type(error).__name__}: {error}")
                wrong += walker.wrong
                walker.close()
        version = browser.version
        browser.close()
    client.close()
    json.dump({"browser": version, "pages": seen, "wrong": wrong, "walked": walked}, sys.stdout)


main()
