"""Follows one recipe against a running `gatepost dev`.

Reads {"recipe", "base_url", "app", "client", "admin", "ports", "scripts", "programs"} as JSON from standard input; the
ports take the place of the recipe's own, 3000 and those behind it, `scripts` asks for a browser that runs them, and in
the folders `programs` the shell looks first. Writes what `recipe.follow` returns.
"""

import json
import os
import pathlib
import sys
import tempfile

import notices
from browser import Browser
from person import Person
from recipe import follow


def main():
    asked = json.load(sys.stdin)
    person = (Browser if asked["scripts"] else Person)(asked["base_url"], asked["app"])
    person.sign_up()
    with tempfile.TemporaryDirectory() as folder:
        # A server that is started by root reads the folder as somebody else.
        os.chmod(folder, 0o755)
        environment = {
            "PATH": ":".join(
                asked["programs"] + [str(pathlib.Path(sys.executable).parent)]
                + ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]),
            "HOME": folder, "LANG": "C.UTF-8", "GATEPOST": asked["base_url"], "APP": asked["app"],
            "CLIENT": asked["client"], "ADMIN": asked["admin"],
        }
        replaced = {"http://localhost:8080": asked["base_url"]}
        replaced |= {f"{3000 + index}": f"{port}" for index, port in enumerate(asked["ports"])}
        receives = pathlib.Path(asked["recipe"]).name.startswith("webhooks-")
        report = follow(
            asked["recipe"], replaced, folder, environment, person,
            (lambda: notices.check(folder, asked["ports"][0])) if receives else None)
    report["wrong"] += [{"step": "the browser's console", "shown": None, "actual": text} for text in person.complaints]
    person.close()
    json.dump(report, sys.stdout)


main()
