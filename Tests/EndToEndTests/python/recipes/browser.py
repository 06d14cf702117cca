"""The same person with Debian's Chromium, which runs scripts."""

import urllib.parse

from person import PASSWORD, Person
from playwright.sync_api import sync_playwright


class Browser(Person):
    """Opens pages and presses buttons as `Person` does, and waits for what the page's scripts show."""

    def __init__(self, base_url, app, email="ada@example.com"):
        super().__init__(base_url, app, email)
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        self.page = self.browser.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", lambda message: self.complain(message))
        self.page.on("request", lambda request: self.watch(request.url))

    def complain(self, message):
        # A browser asks for a picture that the page never named.
        if message.type == "error" and "favicon" not in message.location.get("url", ""):
            self.complaints.append(message.text)

    def watch(self, url):
        # RFC 9700, section 4.3: what an address holds, histories and logs keep.
        if "access_token" in url or "grt_" in url:
            self.complaints.append(f"a token is in the address {url}")

    def open(self, url):
        origin = urllib.parse.urlsplit(url)._replace(path="", query="").geturl()
        self.page.goto(url)
        self.page.wait_for_selector("main form [name=password]")
        self.page.fill("main form [name=email]", self.email)
        self.page.fill("main form [name=password]", PASSWORD)
        self.page.click("main form button[type=submit]")
        return self.shown(origin)

    def press(self, name):
        origin = urllib.parse.urlsplit(self.page.url)._replace(path="", query="").geturl()
        before = self.page.url
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_url(lambda url: url.startswith(origin) and url != before)
        return self.shown(origin)

    def shown(self, origin):
        """The page of an origin, once it says something."""
        self.page.wait_for_url(lambda url: url.startswith(origin))
        self.page.wait_for_function("document.querySelector('h1')?.textContent")
        return self.page.content()

    def close(self):
        self.browser.close()
        self.playwright.stop()
