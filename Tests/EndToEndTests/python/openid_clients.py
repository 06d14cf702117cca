"""Has two client libraries that we did not write sign a person in: Authlib and requests-oauthlib.

Reads {"issuer", "client", "secret", "redirect_uri", "email", "password", "other": {"client", "secret"}} as JSON from
standard input; the first client's ID tokens are signed with RS256, the other's with ES256. Each library goes the whole
way: code with PKCE, ID token, userinfo, refresh, introspection, revocation.
Writes, for each of them, what it was told: {"sub", "email", "nonce", "refreshed", "active", "after"}; and of the other
client, a third party's whose subjects are pairwise, what it was told by two sign-ins and before which the person was
asked: {"subs", "asked"}.
"""
import json
import os
import re
import secrets
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import httpx
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from joserfc import jwt
from joserfc.jwk import KeySet
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as OAuthlibSession

SCOPE = ["openid", "email", "profile"]


def sign_in(url, asked, allow=None):
    """Opens an address as a browser does, signs in on the page that it leads to, and returns where that ends.

    `allow` is called where the person is asked for consent, and they give it.
    """
    cookies = {}

    def send(method, url, **more):
        headers = {"Sec-Fetch-Site": "same-origin" if method == "POST" else "none"}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = httpx.request(method, url, headers=headers, timeout=60, **more)
        for line in answer.headers.get_list("set-cookie"):
            name, value = line.split(";")[0].split("=", 1)
            cookies[name] = value
        return answer

    def onward(answer):
        assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
        return str(answer.url.join(answer.headers["location"]))

    def answered(page, **fields):
        hidden = dict(re.findall(r'name="(form_token|session)" value="([^"]*)"', send("GET", page).text))
        return onward(send("POST", page, data=fields | hidden))

    end = answered(onward(send("GET", url)), email=asked["email"], password=asked["password"])
    if allow and not end.startswith(asked["redirect_uri"]):
        allow()
        end = answered(end, answer="allow")
    assert end.startswith(asked["redirect_uri"]), end
    return end


def checked(token, metadata, asked, nonce):
    """The claims of an ID token, verified by the published keys with the algorithm of the client."""
    assert asked["algorithm"] in metadata["id_token_signing_alg_values_supported"]
    keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
    claims = jwt.decode(token, keys, algorithms=[asked["algorithm"]]).claims
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": metadata["issuer"]}, aud={"essential": True, "value": asked["client"]},
        exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
    )
    registry.validate(claims)
    assert claims.get("nonce") == nonce, claims
    return claims


def with_authlib(metadata, asked):
    # For itself first: no user, so nothing to refresh.
    itself = AuthlibSession(asked["client"], asked["secret"]).fetch_token(
        metadata["token_endpoint"], grant_type="client_credentials")
    assert itself["token_type"] == "Bearer" and "refresh_token" not in itself, itself
    client = AuthlibSession(
        asked["client"], asked["secret"], scope=SCOPE, redirect_uri=asked["redirect_uri"],
        token_endpoint_auth_method="client_secret_basic", code_challenge_method="S256")
    nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    url, _ = client.create_authorization_url(
        metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier)
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=sign_in(url, asked), code_verifier=verifier)
    claims = checked(token["id_token"], metadata, asked, nonce)
    known = client.get(metadata["userinfo_endpoint"]).json()
    assert known["sub"] == claims["sub"], known
    refreshed = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    living = client.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"]).json()
    revoked = client.revoke_token(
        metadata["revocation_endpoint"], token=refreshed["refresh_token"], token_type_hint="refresh_token")
    assert revoked.status_code == 200, revoked.text
    dead = client.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"]).json()
    return {
        "sub": known["sub"], "email": known["email"], "nonce": claims["nonce"] == nonce,
        "refreshed": refreshed["access_token"] != token["access_token"], "active": living["active"],
        "after": dead["active"],
    }


def as_third_party(metadata, asked):
    """Authlib for a client of others: the person is asked once, and is called what only this client calls them."""
    asked = asked | asked["other"] | {"algorithm": "ES256"}
    subs, consents = [], []
    for time in range(2):
        client = AuthlibSession(
            asked["client"], asked["secret"], scope=SCOPE, redirect_uri=asked["redirect_uri"],
            code_challenge_method="S256")
        nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        url, _ = client.create_authorization_url(
            metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier)
        end = sign_in(url, asked, allow=lambda: consents.append(time))
        token = client.fetch_token(metadata["token_endpoint"], authorization_response=end, code_verifier=verifier)
        claims = checked(token["id_token"], metadata, asked, nonce)
        assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]
        subs.append(claims["sub"])
    return {"subs": subs, "asked": consents}


def with_requests_oauthlib(metadata, asked):
    auth = HTTPBasicAuth(asked["client"], asked["secret"])
    session = OAuthlibSession(asked["client"], redirect_uri=asked["redirect_uri"], scope=SCOPE, pkce="S256")
    nonce = secrets.token_urlsafe(16)
    url, _ = session.authorization_url(metadata["authorization_endpoint"], nonce=nonce)
    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=sign_in(url, asked), auth=auth)
    claims = checked(token["id_token"], metadata, asked, nonce)
    known = session.get(metadata["userinfo_endpoint"]).json()
    refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"], auth=auth)

    def introspect(token):
        return requests.post(metadata["introspection_endpoint"], data={"token": token}, auth=auth).json()["active"]

    living = introspect(refreshed["access_token"])
    url, headers, body = session._client.prepare_token_revocation_request(
        metadata["revocation_endpoint"], refreshed["access_token"], token_type_hint="access_token")
    revoked = requests.post(url, data=body, headers=headers, auth=auth)
    assert revoked.status_code == 200, revoked.text
    return {
        "sub": known["sub"], "email": known["email"], "nonce": claims["nonce"] == nonce,
        "refreshed": refreshed["access_token"] != token["access_token"], "active": living,
        "after": introspect(refreshed["access_token"]),
    }


def main():
    # What a client is signed for with unless it asks for something else.
    asked = json.load(sys.stdin) | {"algorithm": "RS256"}
    metadata = httpx.get(f"{asked['issuer']}/.well-known/openid-configuration").json()
    json.dump(
        {
            "authlib": with_authlib(metadata, asked), "requests_oauthlib": with_requests_oauthlib(metadata, asked),
            "third_party": as_third_party(metadata, asked),
        }, sys.stdout)


main()
