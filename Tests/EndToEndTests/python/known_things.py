"""What exists in the app that is asked about, so that requests get further than to a 404."""

import base64
import hashlib
import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import schemathesis

VERIFIER = "everything-verifier-of-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
# Limits that count what one network does would end the examination after a hundred requests.
WIDE = {
    "client_tries_per_quarter_hour": 1_000_000, "tries_per_quarter_hour": 1_000_000, "recipient_mails_per_hour": 100,
    "client_mails_per_hour": 1_000_000, "mails_per_hour": 1_000_000,
    # Whoever asks has proved one factor.
    "require_second_factor": False,
}
# Nothing listens there.
NOWHERE = "http://127.0.0.1:9999"
# What ends the session that asks, or may.
ENDING = ["signOut", "signOutEverywhere", "endSession"]
# What a request is better off without, unless it has one that fits.
OPTIONAL = [
    "cursor", "since", "until", "user", "kind", "state", "description", "Idempotency-Key", "client_secret",
    "client_assertion", "client_assertion_type", "nonce", "request_uri",
]


class Upstream(BaseHTTPRequestHandler):
    """A provider whose issuers are all its paths, and which knows no code."""

    def do_GET(self):
        issuer = f"http://127.0.0.1:{self.server.server_port}/{self.path.split('/')[1]}"
        self.say(200, {"keys": []} if self.path.endswith("/keys") else {
            "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
        })

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(400, {"error": "invalid_grant"})

    def say(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Known:
    """Ids and values by the names that the document has for them, and who asks."""

    def __init__(self, question, chance):
        self.question = question
        self.chance = chance
        self.app_url = f"{question['url']}/v1/admin/apps/{question['app']}"
        self.pages_url = f"{question['url']}/apps/{question['app']}"
        self.key = {"Authorization": f"Bearer {question['key']}"}
        self.token = None
        self.cookies = {}
        upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        self.upstream = f"http://127.0.0.1:{upstream.server_port}"
        self.settle()
        user = next(item["id"] for item in self.items("users") if item["email"] == question["email"])
        self.paths = {
            "app": question["app"], "user": user, "target": question["app"], "client": question["client"],
        }
        self.fields = {
            "client_id": question["client"], "redirect_uri": question["redirect_uri"], "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "response_type": "code", "response_mode": "query", "scope": "openid",
            "password": question["password"], "current_password": question["password"], "code_verifier": VERIFIER,
            "new_password": "nine boats beside an amber jetty", "grant_type": "authorization_code", "locale": "en",
            "ui_locales": "de en", "prompt": "login", "issuer": NOWHERE, "url": NOWHERE + "/hook",
            "current": question["password"],
        }

    def settle(self):
        """Sets wide limits, lets the app go on, wakes the user: whatever an operation has done to them."""
        self.admin("POST", "/resume", {}).raise_for_status()
        self.admin("PATCH", "", {"settings": WIDE}).raise_for_status()

    def admin(self, method, path, body=None):
        return requests.request(method, self.app_url + path, headers=self.key, json=body, timeout=30)

    def items(self, what):
        answer = self.admin("GET", f"/{what}?limit=100")
        answer.raise_for_status()
        return answer.json()["items"]

    def make(self, what, body):
        answer = self.admin("POST", "/" + what, body)
        assert answer.status_code in (201, 202), f"{what}: {answer.text}"
        return answer.json()["id"]

    def prepare(self, operation):
        """Makes what the operation is about, or finds it: the one before may have been deleted."""
        path = operation.path
        number = self.chance.randrange(10**9)
        if "{role}" in path:
            self.paths["role"] = self.make("roles", {"name": f"keeper-{number}", "permissions": ["gates:open"]})
        if "{client}" in path:
            # One of its own: the first one is changed, to a third party's even, and nobody signs in by it any more.
            client = {"name": f"Client {number}", "type": "public", "redirect_uris": [self.fields["redirect_uri"]]}
            self.paths["client"] = self.make("clients", client)
        if "{endpoint}" in path and not self.items("webhook-endpoints"):
            self.make("webhook-endpoints", {"url": NOWHERE + "/hook", "event_types": ["user.created"]})
        if "{endpoint}" in path:
            self.paths["endpoint"] = self.items("webhook-endpoints")[0]["id"]
        if "{provider}" in path or "{name}" in path or path.endswith(("/provider-sign-ins", "/me/identity-links")):
            self.paths["name"] = f"upstream-{number}"
            provider = {
                "name": self.paths["name"], "kind": "openid", "issuer": f"{self.upstream}/{number}",
                "client_id": "gatepost",
                "secret": "a secret of the upstream",
            }
            self.paths["provider"] = self.make("identity-providers", provider)
            self.fields["provider"] = self.paths["name"]
        if "{export}" in path and "export" not in self.paths:
            self.paths["export"] = self.make("audit-exports", {"format": "ndjson"})
        if "{message}" in path:
            self.paths["message"] = self.items("deliveries")[0]["id"]
        if "{session}" in path:
            self.sign_in()
            sessions = self.items(f"users/{self.paths['user']}/sessions")
            self.paths["session"] = sessions[0]["id"]
        if "/apps/{app}/" in path and not path.startswith("/v1/"):
            self.browse()

    def sign_in(self):
        """A new session of the user's, by the API and the token endpoint."""
        api = f"{self.question['url']}/v1/apps/{self.question['app']}"
        names = ("client_id", "redirect_uri", "code_challenge", "code_challenge_method", "password")
        body = {name: self.fields[name] for name in names} | {"email": self.question["email"]}
        answer = requests.post(f"{api}/sign-ins", json=body, timeout=30)
        if answer.status_code != 200:
            return  # The password was changed, which little comes after.
        form = {
            "grant_type": "authorization_code", "code": answer.json()["code"], "client_id": self.fields["client_id"],
            "redirect_uri": self.fields["redirect_uri"], "code_verifier": VERIFIER,
        }
        answer = requests.post(f"{self.pages_url}/oauth/token", data=form, timeout=30)
        answer.raise_for_status()
        self.token = answer.json()["access_token"]

    def browse(self):
        """A browser that a client has sent, with its cookies."""
        names = ("client_id", "redirect_uri", "code_challenge", "code_challenge_method", "response_type")
        query = {name: self.fields[name] for name in names} | {"state": "xyz"}
        url = f"{self.pages_url}/oauth/authorize"
        self.learn(requests.get(url, params=query, headers=self.cookie(), allow_redirects=False, timeout=30))
        # Any page with a form says what the forms of this browser carry.
        page = requests.get(f"{self.pages_url}/password-reset", headers=self.cookie(), timeout=30)
        self.learn(page)
        token = re.search('name="form_token" value="([^"]+)"', page.text)
        assert token, page.text
        self.fields["form_token"] = token[1]

    def cookie(self):
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def learn(self, response):
        """Remembers what an answer gives whoever asked: cookies, flows, requests."""
        response = schemathesis.Response.from_any(response)
        for cookie in response.headers.get("set-cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        query = urllib.parse.urlparse(response.headers.get("location", [""])[0]).query
        found = dict(urllib.parse.parse_qsl(query))
        if response.headers.get("content-type", [""])[0].startswith("application/json"):
            body = response.json()
            found |= body if isinstance(body, dict) else {}
        for name in ("request", "flow", "flow_token", "refresh_token"):
            if isinstance(found.get(name), str):
                self.fields[name] = found[name]

    def headers(self, operation):
        """Who asks: an admin's program, a signed-in user, or a browser that is on the page."""
        if "/v1/admin/" in operation.path:
            return self.key
        if operation.path.endswith(("/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke")):
            return {}
        if not operation.path.startswith("/v1/") and not operation.path.endswith("/oauth/userinfo"):
            return self.cookie() | {"Sec-Fetch-Site": "same-origin", "Origin": self.question["url"]}
        if "security" not in operation.definition.raw:
            return {}
        if self.token is None:
            self.sign_in()
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def email(self):
        new = f"user-{self.chance.randrange(10**9)}@example.com"
        return self.chance.choice([self.question["email"], new])

    def fill(self, case, likely):
        """Puts what exists in the place of what was made up: everywhere, or now and then."""
        share = 1 if self.chance.random() < likely else 0.3
        for name in case.path_parameters or {}:
            if name in self.paths and self.chance.random() < max(share, 0.8):
                case.path_parameters[name] = self.paths[name]
        for values in (case.query, case.body, case.headers):
            if not hasattr(values, "keys"):
                continue
            for name in list(values):
                if self.chance.random() >= share:
                    continue
                if name == "email":
                    values[name] = self.email()
                elif self.fields.get(name) is not None:
                    values[name] = self.fields[name]
                elif name in OPTIONAL:
                    del values[name]

    def mend(self, operation):
        """Undoes what an operation may have done to all that come after it."""
        name = operation.definition.raw.get("operationId", "")
        if name in ("suspendApp", "changeApp"):
            self.settle()
        if name in ("deactivateUser", "endUserSessions", "endUserSession"):
            self.admin("POST", f"/users/{self.paths['user']}/reactivate", {})
        if name in ("deactivateUser", "endUserSessions", "endUserSession", *ENDING):
            self.token = None
