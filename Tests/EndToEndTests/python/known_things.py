"""What exists in the app that is asked about, so that requests get further than to a 404."""

import base64
import hashlib

import requests

VERIFIER = "everything-verifier-of-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
# Limits that count what one network does would end the examination after a hundred requests.
WIDE = {
    "client_tries_per_quarter_hour": 1_000_000, "tries_per_quarter_hour": 1_000_000, "recipient_mails_per_hour": 100,
    "client_mails_per_hour": 1_000_000, "mails_per_hour": 1_000_000,
}


class Known:
    """Ids and values by the names that the document has for them, and who asks."""

    def __init__(self, question):
        self.question = question
        self.app_url = f"{question['url']}/v1/admin/apps/{question['app']}"
        self.key = {"Authorization": f"Bearer {question['key']}"}
        self.token = None
        self.settle()
        user = self.items("users")[0]["id"]
        self.paths = {
            "app": question["app"], "user": user, "name": "upstream", "target": question["app"],
            "role": self.make("roles", {"name": "keeper", "permissions": ["gates.open"]}),
            "endpoint": self.make(
                "webhook-endpoints", {"url": "http://127.0.0.1:9999/hook", "event_types": ["user.created"]}),
            "provider": self.make(
                "identity-providers",
                {
                    "name": "upstream", "kind": "openid", "issuer": "http://127.0.0.1:9999", "client_id": "gatepost",
                    "secret": "a secret of the upstream",
                }),
            "export": self.make("audit-exports", {"format": "ndjson"}),
            "message": self.items("deliveries")[0]["id"],
        }
        self.fields = {
            "client_id": question["client"], "redirect_uri": question["redirect_uri"], "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "response_type": "code", "email": question["email"],
            "password": question["password"], "current_password": question["password"], "user": user,
            "grant_type": "authorization_code", "code_verifier": VERIFIER,
        }

    def settle(self):
        """Sets wide limits, lets the app go on, wakes the user: whatever an operation has done to them."""
        self.admin("POST", "/resume")
        self.admin("PATCH", "", {"settings": WIDE})

    def admin(self, method, path, body=None):
        return requests.request(method, self.app_url + path, headers=self.key, json=body, timeout=30)

    def items(self, what):
        answer = self.admin("GET", "/" + what)
        answer.raise_for_status()
        return answer.json()["items"]

    def make(self, what, body):
        answer = self.admin("POST", "/" + what, body)
        assert answer.status_code in (201, 202), f"{what}: {answer.text}"
        return answer.json()["id"]

    def sign_in(self):
        """A new session of the user's, by the API and the token endpoint."""
        api = f"{self.question['url']}/v1/apps/{self.question['app']}"
        body = {
            name: self.fields[name]
            for name in ("client_id", "redirect_uri", "code_challenge", "code_challenge_method", "email", "password")
        }
        answer = requests.post(f"{api}/sign-ins", json=body, timeout=30)
        if answer.status_code != 200:
            return  # The password was changed, which nothing comes after.
        form = {
            "grant_type": "authorization_code", "code": answer.json()["code"], "client_id": self.fields["client_id"],
            "redirect_uri": self.fields["redirect_uri"], "code_verifier": VERIFIER,
        }
        answer = requests.post(
            f"{self.question['url']}/apps/{self.question['app']}/oauth/token", data=form, timeout=30)
        answer.raise_for_status()
        self.token = answer.json()["access_token"]

    def authorization(self, operation):
        if "/v1/admin/" in operation.path:
            return self.key
        if "/v1/apps/" not in operation.path or "security" not in operation.definition.raw:
            return {}
        if self.token is None:
            self.sign_in()
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def fill(self, case, chance, likely):
        """Puts what exists in the place of what was made up, as often as not."""
        for name in case.path_parameters or {}:
            if name in self.paths and chance.random() < likely:
                case.path_parameters[name] = self.paths[name]
        for values in (case.query, case.body):
            if not isinstance(values, dict):
                continue
            for name in values:
                if name in self.fields and chance.random() < likely / 2:
                    values[name] = self.fields[name]

    def mend(self, operation):
        """Undoes what an operation may have done to all that come after it."""
        name = operation.definition.raw.get("operationId", "")
        if name in ("suspendApp", "changeApp"):
            self.settle()
        if name in ("deactivateUser", "endUserSessions", "endUserSession"):
            self.admin("POST", f"/users/{self.paths['user']}/reactivate")
            self.token = None
        if name in ("signOut", "signOutEverywhere", "endSession", "changePassword"):
            self.token = None
