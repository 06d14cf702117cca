"""Looks for secrets in files, as they are and in the forms that a dump or a log may give them.

Reads {"files": [path], "secrets": {name: text}} and prints [[path, name, form]], one for each find.
"""

import base64
import json
import re
import sys


def forms(text):
    """The bytes that would give a secret away."""
    raw = text.encode()
    yield "plain", raw
    yield "hex", raw.hex().encode()
    yield "base64", base64.b64encode(raw).rstrip(b"=")
    # A token is 32 bytes in base 64 behind a prefix; the bytes alone are as good.
    token = re.fullmatch(r"[a-z]{3}_([A-Za-z0-9_-]{43})", text)
    if token:
        chance = base64.urlsafe_b64decode(token[1] + "=")
        yield "without its prefix", token[1].encode()
        yield "its bytes", chance
        yield "its bytes in hex", chance.hex().encode()
        yield "its bytes in base64", base64.b64encode(chance).rstrip(b"=")
    secret = re.fullmatch(r"whsec_([A-Za-z0-9+/=]+)", text)
    if secret:
        chance = base64.b64decode(secret[1])
        yield "without its prefix", secret[1].encode()
        yield "its bytes", chance
        yield "its bytes in hex", chance.hex().encode()
    # A seed, and a recovery code as it is shown, in base 32.
    letters = text.replace("-", "").upper()
    if re.fullmatch(r"[A-Z2-7]{24}|[A-Z2-7]{32}", letters):
        chance = base64.b32decode(letters)
        yield "in capitals", letters.encode()
        yield "in small letters", letters.lower().encode()
        yield "its bytes", chance
        yield "its bytes in hex", chance.hex().encode()
        yield "its bytes in base64", base64.b64encode(chance).rstrip(b"=")


def holds(content, form):
    """Eight digits also turn up within longer numbers, by chance."""
    if not form.isdigit():
        return form in content
    return re.search(rb"(?<![0-9a-f])" + form + rb"(?![0-9a-f])", content) is not None


question = json.load(sys.stdin)
wanted = [(name, kind, form) for name, text in question["secrets"].items() for kind, form in forms(text)]
finds = []
for path in question["files"]:
    with open(path, "rb") as file:
        content = file.read()
    # Hex may be written in capitals.
    lower = content.lower()
    for name, kind, form in wanted:
        if holds(content, form) or ("hex" in kind and form in lower):
            finds.append([path, name, kind])
print(json.dumps(finds))
