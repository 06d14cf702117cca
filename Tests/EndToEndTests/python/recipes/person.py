"""A person with a browser that runs no scripts, and the mails that `gatepost dev` has caught for them."""

import re
import urllib.parse

import httpx

PASSWORD = "a walk along the river"


class Person:
    """Somebody who has an account with an app, and signs in wherever a page asks for it."""

    def __init__(self, base_url, app, email="ada@example.com"):
        self.base_url, self.app, self.email = base_url, app, email
        self.cookies, self.visited, self.complaints = {}, [], []

    def sign_up(self):
        """Opens the account, with the code from the mail."""
        api = f"{self.base_url}/v1/apps/{self.app}/sign-ups"
        begun = httpx.post(api, json={"email": self.email, "password": PASSWORD}, timeout=60).raise_for_status().json()
        for _ in range(100):
            mail = httpx.get(f"{self.base_url}/dev/mails/latest", timeout=60)
            if mail.status_code == 200 and self.email in mail.text:
                break
        code = re.search(r"^\s+(\d{4} ?\d{4})$", mail.text, re.MULTILINE).group(1)
        httpx.post(
            f"{api}/verify", timeout=60,
            json={"flow": begun["flow"], "flow_token": begun["flow_token"], "code": code}).raise_for_status()

    def send(self, method, url, site="none", **more):
        """One request with the browser's cookies, which know no ports, and what comes back."""
        host = urllib.parse.urlsplit(url).hostname
        mine = self.cookies.setdefault(host, {})
        headers = {"Sec-Fetch-Site": site, **more.pop("headers", {})}
        if mine:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in mine.items())
        answer = httpx.request(method, url, headers=headers, timeout=60, **more)
        self.visited.append(url)
        for line in answer.headers.get_list("set-cookie"):
            name, value = line.split(";")[0].split("=", 1)
            if value and "max-age=0" not in line.lower():
                mine[name] = value
            else:
                mine.pop(name, None)
        return answer

    def open(self, url):
        """Opens an address, signs in if a page of Gatepost asks for it, and returns the page at the end."""
        return self.walk(url).text

    def sign_in(self, url, redirect_uri):
        """The same, to a client that nobody listens for: returns the address that the browser is sent back to."""
        return self.walk(url, redirect_uri)

    def walk(self, url, end=None):
        answer = self.send("GET", url)
        for _ in range(15):
            if answer.status_code in (301, 302, 303, 307):
                onward = str(answer.url.join(answer.headers["location"]))
                if end and onward.startswith(end):
                    return onward
                answer = self.send("GET", onward, site="same-site")
            elif "/sign-in?" in str(answer.url) and 'name="password"' in answer.text:
                hidden = dict(re.findall(r'name="(form_token)" value="([^"]*)"', answer.text))
                answer = self.send(
                    "POST", str(answer.url), site="same-origin",
                    data={"email": self.email, "password": PASSWORD, **hidden})
            else:
                return answer
        raise RuntimeError(f"no end of redirects: {self.visited[-5:]}")

    def close(self):
        """Nothing is left open."""
