"""Walks a person's browser, Debian's Chromium, through the hosted pages, and looks whether everybody can use them.

Reads a question in JSON: which part of the walks is to be taken, where Gatepost is, an app with its client, an admin's
key, the folder in which the relay's mails appear, and the database. Each walk is taken in two views that differ in
everything: scripts, size, colours and language; so a page is seen once in each setting. On every page axe looks for
what keeps people out, in both colour schemes. Answers with the pages that were seen and everything that was wrong.
"""

import json
import pathlib
import sys
import time

from playwright.sync_api import sync_playwright

import account
import entry
import factor
from provider import CLIENT_ID, SECRET, Provider
from walker import PAIRS, Client, Walker, World

PARTS = {"entry": entry.WALKS, "account": account.WALKS, "factor": factor.WALKS}


def add_provider(question, reader, provider):
    """Tells the app of the provider."""
    made = reader.request.post(
        f"{question['api']}/v1/admin/apps/{question['app']}/identity-providers",
        headers={"Authorization": f"Bearer {question['key']}"},
        data={
            "name": "upstream", "kind": "openid", "label": "Lakeside", "issuer": provider.issuer,
            "client_id": CLIENT_ID, "secret": SECRET,
        })
    if made.status != 201:
        raise RuntimeError(f"the provider was answered {made.status}: {made.text()}")


def main():
    question = json.load(sys.stdin)
    pathlib.Path(question["screenshots"]).mkdir(parents=True, exist_ok=True)
    wrong, walked = [], []
    client, provider = Client(), Provider()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        add_provider(question, browser.new_context(), provider)
        world = World(question, browser, client, provider)
        for position, walk in enumerate(PARTS[question["part"]]):
            for view in PAIRS[position % 2]:
                walker, began = Walker(world, view), time.monotonic()
                try:
                    walk(walker)
                    walked.append(f"{walk.__name__} {view['name']} {time.monotonic() - began:.1f} s")
                except Exception as error:  # What a walk dies of is what the test must say.
                    walker.expect(False, f"{walk.__name__}: {type(error).__name__}: {error}")
                wrong += walker.wrong
                walker.close()
        version = browser.version
        browser.close()
    client.close()
    provider.close()
    json.dump({"browser": version, "pages": world.seen, "wrong": wrong, "walked": walked}, sys.stdout)


main()
