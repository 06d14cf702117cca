"""Has idpyoidc, a strict relying party, go through every flow, and shows it answers that are broken.

Reads {"issuer", "redirect_uri", "clients": {"basic", "post", "key"}, "base_url", "app", "email"} as JSON from standard
input; a client is {"id", "secret"} or {"id", "key"}, a private JWK. Writes {"flows": {name: what was told}, "refused":
{name: why}}.

The broken answers are made between the two: what Gatepost said is changed on its way. Where an ID token has to be
signed anew, it is by a key that is put into the key set on the same way, and the flow named `signed anew` shows that
this alone is accepted.
"""

import base64
import functools
import json
import logging
import sys
import time
import urllib.parse

import requests
from cryptojwt.jwk.rsa import new_rsa_key
from cryptojwt.jws.jws import JWS
from cryptojwt.key_jar import KeyJar
from idpyoidc.client.defaults import DEFAULT_OIDC_SERVICES
from idpyoidc.client.rp_handler import RPHandler

sys.path.insert(0, f"{sys.path[0]}/recipes")
from person import Person

SERVICES = DEFAULT_OIDC_SERVICES | {
    "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"},
    "introspection": {"class": "idpyoidc.client.oauth2.introspection.Introspection"},
    "revocation": {"class": "idpyoidc.client.oauth2.token_revocation.TokenRevocation"},
}
SERVICES.pop("registration")
OUR_KEY = new_rsa_key(kid="key_between")


def changed(token, claims=None, header=None, key=OUR_KEY):
    """An ID token with other claims, signed anew."""
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    for name, value in (claims or {}).items():
        if value is None:
            payload.pop(name)
        else:
            payload[name] = value(payload[name]) if callable(value) else value
    alg = (header or {}).get("alg", "RS256")
    return JWS(json.dumps(payload), alg=alg, typ="JWT", **({"kid": key.kid} if alg != "none" else {})).sign_compact(
        [key] if alg != "none" else [])


def flipped(token):
    """The same claims under a signature that is not theirs."""
    head, payload, signature = token.split(".")
    other = "A" if signature[10] != "A" else "B"
    return f"{head}.{payload}.{signature[:10]}{other}{signature[11:]}"


class Between:
    """Carries requests to Gatepost, and changes what comes back."""

    def __init__(self, id_token=None, token=None, userinfo=None, metadata=None):
        self.changes = {"id_token": id_token, "token": token, "userinfo": userinfo, "metadata": metadata}
        self.is_key_ours = id_token is not None

    def __call__(self, method, url, **more):
        answer = requests.request(method, url, **{"timeout": 60} | more)
        path = urllib.parse.urlsplit(url).path
        if answer.status_code == 200 and "json" in answer.headers.get("content-type", ""):
            body = answer.json()
            self.change(path, body)
            answer._content = json.dumps(body).encode()
        return answer

    def change(self, path, body):
        if path.endswith("/jwks.json") and self.is_key_ours:
            body["keys"].append(OUR_KEY.serialize())
        if path.endswith("/openid-configuration"):
            body.update(self.changes["metadata"] or {})
        if path.endswith("/oauth/token"):
            if self.changes["id_token"]:
                body["id_token"] = self.changes["id_token"](body["id_token"])
            for name, value in (self.changes["token"] or {}).items():
                body[name] = value
        if path.endswith("/oauth/userinfo") and self.changes["userinfo"]:
            body.update(self.changes["userinfo"])


class Party:
    """A relying party with one client, and a person who comes by it."""

    def __init__(self, asked, client="basic", method="client_secret_basic", between=None):
        self.asked, self.issuer, client = asked, asked["issuer"], asked["clients"][client]
        config = {
            "issuer": self.issuer, "client_type": "oidc", "client_id": client["id"],
            "client_secret": client.get("secret", ""), "redirect_uris": [asked["redirect_uri"]],
            "post_logout_redirect_uris": [asked["redirect_uri"]], "services": SERVICES,
            "client_authn_methods": ["client_secret_basic", "client_secret_post", "private_key_jwt", "bearer_header"],
            "preference": {
                "response_types_supported": ["code"], "scopes_supported": ["openid", "email", "profile"],
                "token_endpoint_auth_methods_supported": [method],
                "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            "add_ons": {"pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            }},
        }
        keys = {"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]}
        self.handler = RPHandler(
            base_url="https://app.example", client_configs={self.issuer: config}, services=SERVICES,
            httpc=between or Between(), key_conf=keys)
        self.client = self.handler.client_setup(self.issuer)
        if "key" in client:
            self.client.keyjar = KeyJar()
            self.client.keyjar.import_jwks({"keys": [client["key"]]}, "")
            self.client.keyjar.load_keys(self.issuer, f"{self.issuer}/jwks.json")
            # Its proofs live for ten minutes unless they are told otherwise; Gatepost takes five.
            way = self.client.get_context().client_authn_methods["private_key_jwt"]
            way.construct = functools.partial(way.construct, lifetime=120)
        self.person = Person(asked["base_url"], asked["app"], asked["email"])

    def sign_in(self, change=None, push=False, **more):
        """Goes from the request to the tokens; `change` is made in the answer that the browser brings."""
        url = self.handler.begin(self.issuer, req_args={"scope": ["openid", "email", "profile"], **more})
        url = url["url"] if isinstance(url, dict) else url
        end = self.person.sign_in(self.pushed(url) if push else url, self.asked["redirect_uri"])
        values = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(end).query))
        self.state = values["state"]
        result = self.handler.finalize(self.issuer, values | (change or {}))
        if "error" in result:
            raise RuntimeError(f"error: {result['error']}")
        assert result["userinfo"]["sub"] == result["id_token"]["sub"]
        return result

    def service(self, name, token):
        """Asks one of the endpoints about a token, as this client."""
        return self.post(f"{name}_endpoint", {"token": token})

    def post(self, endpoint, form):
        client = self.asked["clients"]["basic"]
        return self.handler.httpc(
            "POST", self.client.get_context().provider_info[endpoint], data=form, auth=(client["id"], client["secret"]))

    def pushed(self, url):
        """The address for the same request, pushed beforehand: the party's own way pushes signed objects only."""
        address, query = url.split("?", 1)
        form = dict(urllib.parse.parse_qsl(query))
        answer = self.post("pushed_authorization_request_endpoint", form)
        assert answer.status_code == 201, answer.text
        return f"{address}?" + urllib.parse.urlencode(
            {"client_id": form["client_id"], "request_uri": answer.json()["request_uri"]})


def told(result):
    """What a flow ended in."""
    return {"sub": result["id_token"]["sub"], "email": result["userinfo"]["email"]}


def go_everywhere(asked):
    """Every flow, by name."""
    flows = {}
    party = Party(asked)
    flows["client_secret_basic"] = told(party.sign_in())
    refreshed = party.handler.refresh_access_token(party.state)
    flows["refresh"] = told(
        {"id_token": refreshed["__verified_id_token"],
         "userinfo": party.handler.get_user_info(party.state, access_token=refreshed["access_token"])})
    assert party.service("introspection", refreshed["access_token"]).json()["active"] is True
    silent = party.sign_in(prompt="none", max_age=3600)
    assert "auth_time" in silent["id_token"]
    flows["prompt=none and max_age"] = told(silent)
    assert party.service("revocation", silent["token"]).status_code == 200
    assert party.service("introspection", silent["token"]).json() == {"active": False}
    flows["pushed"] = told(Party(asked).sign_in(push=True))
    flows["client_secret_post"] = told(Party(asked, "post", "client_secret_post").sign_in())
    flows["private_key_jwt"] = told(Party(asked, "key", "private_key_jwt").sign_in())
    leaving = Party(asked)
    flows["logout"] = told(leaving.sign_in())
    url = leaving.handler.logout(leaving.state, post_logout_redirect_uri=asked["redirect_uri"])["url"]
    end = leaving.person.sign_in(url, asked["redirect_uri"])
    assert "state=" in end and "error" not in end, end
    try:
        leaving.sign_in(prompt="none")
        raise AssertionError("somebody is signed in after the logout")
    except RuntimeError as error:
        assert "login_required" in str(error), error
    anew = Party(asked, between=Between(id_token=lambda token: changed(token)))
    flows["signed anew"] = told(anew.sign_in())
    return flows


def now():
    return int(time.time())


BROKEN = {
    "a signature of other bytes": {"id_token": flipped},
    "another issuer": {"id_token": lambda token: changed(token, {"iss": "https://evil.example"})},
    "another audience": {"id_token": lambda token: changed(token, {"aud": "cli_00000000000000000000000000"})},
    "two audiences and no party": {"id_token": lambda token: changed(token, {"aud": lambda aud: [aud, "other"]})},
    "another nonce": {"id_token": lambda token: changed(token, {"nonce": "of-another-sign-in"})},
    "no nonce": {"id_token": lambda token: changed(token, {"nonce": None})},
    "expired": {"id_token": lambda token: changed(token, {"iat": now() - 7200, "exp": now() - 3600})},
    "of the future": {"id_token": lambda token: changed(token, {"iat": now() + 3600, "exp": now() + 7200})},
    "no subject": {"id_token": lambda token: changed(token, {"sub": None})},
    "no signature": {"id_token": lambda token: changed(token, header={"alg": "none"})},
    "a key that is not in the set": {
        "id_token": lambda token: changed(token, key=new_rsa_key(kid="key_of_nobody"))},
    "another user's userinfo": {"userinfo": {"sub": "usr_00000000000000000000000000"}},
    "metadata of another issuer": {"metadata": {"issuer": "https://evil.example"}},
}


def refuse(asked):
    """Why each broken answer was refused; nothing where it was taken."""
    refused = {}
    for name, change in BROKEN.items():
        try:
            Party(asked, between=Between(**change)).sign_in()
            refused[name] = None
        except (Exception, AssertionError) as error:
            refused[name] = f"{type(error).__name__}: {error}"
    try:
        Party(asked).sign_in(change={"state": "of-another-sign-in"})
        refused["another state"] = None
    except Exception as error:
        refused["another state"] = f"{type(error).__name__}: {error}"
    return refused


def main():
    logging.disable(logging.CRITICAL)
    asked = json.load(sys.stdin)
    json.dump({"flows": go_everywhere(asked), "refused": refuse(asked)}, sys.stdout)


if __name__ == "__main__":
    main()
