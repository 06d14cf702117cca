"""Holds notices against two verifiers that we did not write: standardwebhooks and svix.

Reads {"notices": [{"headers": {name: value}, "body": text}], "secrets": [text]} and prints, for each notice, what each
verifier says of it with each secret, as it came and spoilt in the ways that must be noticed.
"""

import json
import sys

import standardwebhooks
import svix

question = json.load(sys.stdin)
NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def verifies(library, secret, headers, body):
    try:
        library.Webhook(secret).verify(body, headers)
    except library.webhooks.WebhookVerificationError:
        return False
    return True


def answers(secret, headers, body):
    identifier = headers["webhook-id"]
    # Every 32nd id ends in z already.
    other = identifier[:-1] + ("y" if identifier.endswith("z") else "z")
    stale = dict(headers, **{"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)})
    variants = {
        "as it came": (headers, body),
        "changed body": (headers, body.replace("user", "uzer", 1)),
        "one more space": (headers, body + " "),
        "stale timestamp": (stale, body),
        "changed timestamp": (
            dict(headers, **{"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}), body),
        "changed id": (dict(headers, **{"webhook-id": other}), body),
        "no signature": (dict(headers, **{"webhook-signature": ""}), body),
    }
    return {
        f"{library.__name__}: {name}": verifies(library, secret, *variant)
        for library in (standardwebhooks, svix)
        for name, variant in variants.items()
    }


print(json.dumps([
    [answers(secret, {name: notice["headers"][name] for name in NAMES}, notice["body"])
     for secret in question["secrets"]]
    for notice in question["notices"]
]))
