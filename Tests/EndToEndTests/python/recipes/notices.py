"""Shows a webhook recipe's receiver, while it runs, notices that are right, repeated and wrong."""

import datetime
import json
import pathlib
import re
import time

import httpx
from standardwebhooks import Webhook

NOTICE = {"type": "session.ended", "timestamp": "2026-03-02T09:00:00.000000Z",
          "data": {"app_id": "app_1", "user_id": "usr_1", "session_id": "ses_of_this_check", "reason": "signed_out"}}


def check(folder, port):
    """What the receiver did otherwise than it should have."""
    secret = json.loads(pathlib.Path(folder, "endpoint.json").read_text())["secret"]
    body, wrong = json.dumps(NOTICE), []

    def send(name, expected, identity="msg_of_this_check", age=0, shown=body, signed=body, before="", key=secret):
        sent = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
        signature = before + Webhook(key).sign(identity, sent, signed)
        answer = httpx.post(f"http://localhost:{port}/gatepost", content=shown, timeout=30, headers={
            "webhook-id": identity, "webhook-timestamp": str(int(sent.timestamp())), "webhook-signature": signature})
        if answer.status_code != expected:
            wrong.append({"step": name, "shown": str(expected), "actual": str(answer.status_code)})

    send("another body", 400, signed=body + " ")
    send("a time long ago", 400, age=3600)
    send("a time far ahead", 400, age=-3600)
    send("another secret", 400, key="whsec_" + "QUFB" * 8)
    send("a large body", 413, shown="x" * 70_000)
    send("one that is right", 204)
    send("the same again", 204)
    send("while a secret is rotated", 204, identity="msg_of_two_secrets", before="v1,bm90IHRoaXMgb25l ")
    log, deadline = pathlib.Path(folder, "notices.log"), time.monotonic() + 30
    while len(found := re.findall("forget ses_of_this_check", log.read_text())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    if len(found) != 2:
        wrong.append({"step": "each is worked on once", "shown": "2", "actual": str(len(found))})
    return wrong
