"""Tokens that are none of an API's, for verifiers to refuse."""

import base64
import hashlib
import json
import secrets
import urllib.parse

import httpx
from person import Person


def key_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


def strange(asked):
    """Tokens that are genuine, and not for this API; and some that are not genuine."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = urllib.parse.urlencode({
        "response_type": "code", "client_id": asked["client"], "redirect_uri": asked["redirect_uri"],
        "scope": "openid", "code_challenge": challenge, "code_challenge_method": "S256"})
    person = Person(asked["base_url"], asked["app"], asked["email"])
    end = person.sign_in(f"{asked['issuer']}/oauth/authorize?{query}", asked["redirect_uri"])
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(end).query)["code"][0]
    own = token(asked, grant_type="authorization_code", code=code, redirect_uri=asked["redirect_uri"],
                code_verifier=verifier)
    foreign = token(asked["foreign"], grant_type="client_credentials")["access_token"]
    third = token(asked["third"], grant_type="client_credentials")["access_token"]
    head, payload, signature = own["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return own["access_token"], {
        "an ID token": own["id_token"], "a token of another app": foreign, "a third party's": third,
        "a word": "nothing", "three words": "a.b.c",
        "another signature": f"{head}.{payload}.{'A' * len(signature)}",
        "another subject": f"{head}.{part(claims | {'sub': 'usr_00000000000000000000000000'})}.{signature}",
        "no algorithm": f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': key_of(own['access_token'])})}.{payload}.",
        "the key of ID tokens": f"{part({'alg': 'ES256', 'typ': 'at+jwt', 'kid': key_of(own['id_token'])})}.{payload}"
                                f".{signature}",
        "an unknown key": f"{part({'alg': 'ES256', 'typ': 'at+jwt', 'kid': 'key_of_nobody'})}.{payload}.{signature}",
    }


def token(client, **form):
    answer = httpx.post(
        f"{client['issuer']}/oauth/token", auth=(client["client"], client["secret"]), data=form, timeout=30)
    return answer.raise_for_status().json()


def show_strange(asked, urls):
    """What each verifier answers to each of them, and to one that is right before and after its user has signed out."""
    own, tokens = strange(asked)

    def status(url, shown):
        return httpx.get(url, headers={"Authorization": f"Bearer {shown}"}, timeout=30).status_code

    answers = {
        name: {"its own": status(url, own)} | {what: status(url, shown) for what, shown in tokens.items()}
        for name, url in urls.items()
    }
    httpx.delete(
        f"{asked['base_url']}/v1/apps/{asked['app']}/sessions/current", timeout=30,
        headers={"Authorization": f"Bearer {own}"}).raise_for_status()
    for name, url in urls.items():
        answers[name]["after a sign-out"] = status(url, own)
    return answers
