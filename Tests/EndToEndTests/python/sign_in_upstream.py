"""Takes a person's browser from a client through Gatepost's sign-in page to an upstream OpenID provider, and back.

Reads {"base_url", "app", "client", "redirect_uri", "challenge", "issuer", "cookies"} as JSON from standard input and
writes {"url", "page", "cookies"}: where the browser ended, what it was shown there (null at the client), what it holds.
"""
import json
import re
import sys

import httpx

PASSWORD = "correct horse battery"


class Browser:
    """Keeps cookies by host and port, whatever they say of TLS: loopback is a secure context to a real one."""

    def __init__(self, cookies):
        self.http = httpx.Client(follow_redirects=False, timeout=60)
        self.cookies = cookies

    def send(self, method, url, **more):
        host = httpx.URL(url).netloc.decode()
        jar = self.cookies.setdefault(host, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        answer = self.http.request(method, url, headers=headers, **more)
        self.http.cookies.clear()
        for line in answer.headers.get_list("set-cookie"):
            name, value = line.split(";")[0].split("=", 1)
            jar[name] = value
        return answer

    def follow(self, method, url, stop, fill, **more):
        """Goes on, filling in forms, until an address that begins with `stop`, or a page that `fill` leaves alone."""
        for _ in range(30):
            answer = self.send(method, url, **more)
            if location := answer.headers.get("location"):
                method, more = "GET", {}
                url = str(httpx.URL(url).join(location))
                if url.startswith(stop):
                    return url, None
                continue
            step = fill(url, answer.text)
            if step is None:
                return url, answer.text
            path, data = step
            method, url, more = "POST", str(httpx.URL(url).join(path)), {"data": data}
        raise RuntimeError("the browser goes round in circles")


def main():
    asked = json.load(sys.stdin)
    base, app, issuer = asked["base_url"], asked["app"], asked["issuer"]

    def fill(url, page):
        if url.startswith(f"{base}/apps/{app}/sign-in"):
            button = re.search(r'action="([^"]*/providers/canaille/start[^"]*)"', page)
            token = dict(re.findall(r'name="(form_token)" value="([^"]*)"', page))
            return (button.group(1).replace("&amp;", "&"), token) if button else None
        if not url.startswith(issuer):
            return None
        data = dict(re.findall(r'name="(csrf_token)"[^>]*value="([^"]*)"', page))
        if 'name="login"' in page:
            data["login"] = "ada"
        elif 'name="password"' in page:
            data["password"] = PASSWORD
        else:
            data["answer"] = "accept"
        return "", data

    browser = Browser(asked["cookies"])
    query = httpx.QueryParams(
        response_type="code", client_id=asked["client"], redirect_uri=asked["redirect_uri"], state="of-the-client",
        code_challenge=asked["challenge"], code_challenge_method="S256",
    )
    url, page = browser.follow(
        "GET", f"{base}/apps/{app}/oauth/authorize?{query}", asked["redirect_uri"], fill)
    json.dump({"url": url, "page": page, "cookies": browser.cookies}, sys.stdout)


main()
