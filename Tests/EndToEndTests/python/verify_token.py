"""Verifies an access token as another service would: it knows the issuer and its own name, nothing else.

Reads {"token", "issuer", "audience"} and prints the claims, or {"refused": <the exception's name>}.
"""

import json
import sys
import urllib.request

import jwt

question = json.load(sys.stdin)
with urllib.request.urlopen(question["issuer"] + "/.well-known/openid-configuration", timeout=20) as answer:
    metadata = json.load(answer)
assert metadata["issuer"] == question["issuer"], metadata["issuer"]

try:
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(question["token"])
    claims = jwt.decode(
        question["token"],
        key,
        algorithms=["ES256"],
        audience=question["audience"],
        issuer=question["issuer"],
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
    )
    print(json.dumps(claims))
except jwt.PyJWTError as error:
    print(json.dumps({"refused": type(error).__name__}))
