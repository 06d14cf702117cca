"""Rotates a signing key and then withdraws one, while verifiers in several languages are asked all along.

Reads {"recipes", "source", "cache", "ports", "seconds", "issuer", "base_url", "app", "client", "secret", "database",
"program", "settings", "email", "redirect_uri", "foreign", "third"} as JSON from standard input; `foreign` is a client
of another app, `third` one of a third party's. The verifiers are the recipes' own programs in Python, Node and Go, an
app with go-oidc, and Apache with mod_auth_openidc; each keeps the keys for `seconds`, in place of five minutes. Writes
{"verifiers": {name: {"taken", "refused", "wrong"}}, "keys": [id], "strange": {name: {what: status}}, "party":
[subject]}: how often a valid token was taken, how often a token of the withdrawn key was refused after the stated time,
what should not have been, what was answered to tokens that are none of this API's, and whom idpyoidc signed in before,
between and after.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import httpx

sys.path.insert(0, f"{sys.path[0]}/recipes")
from go_party import built
from recipe import steps
from strange_tokens import key_of, show_strange, token
from strict_party import Party

# How late a node may learn of a withdrawal, as docs/operating.md states.
NODE = 5


class Verifiers:
    """The programs, each at a port of its own."""

    def __init__(self, asked, folder):
        self.asked, self.folder, self.running, self.urls = asked, pathlib.Path(folder), [], {}
        self.ports = iter(asked["ports"])

    def files(self, recipe, **replaced):
        """Writes a recipe's files into a folder, with other ports in them."""
        folder = self.folder / recipe
        folder.mkdir()
        text = pathlib.Path(self.asked["recipes"], f"{recipe}.md").read_text(encoding="utf-8")
        for kind, name, content in steps(text):
            if kind == "file":
                for ours, other in replaced.items():
                    content = content.replace(ours.removeprefix("port"), str(other))
                (folder / name).write_text(content, encoding="utf-8")
        return folder

    def start(self, name, command, folder, port, **environment):
        log = open(self.folder / f"{name}.log", "wb")
        self.running.append(subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={
                "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin", "HOME": str(folder),
                "GATEPOST": self.asked["base_url"], "APP": self.asked["app"], "CLIENT": self.asked["client"],
                "SECRET": self.asked["secret"], "KEYS_SECONDS": str(self.asked["seconds"]),
                "ISSUER": self.asked["issuer"], "PORT": str(port), "GOCACHE": self.asked["cache"], **environment}))
        if name != "behind":
            self.urls[name] = f"http://127.0.0.1:{port}/api"

    def start_all(self):
        port = next(self.ports)
        self.start("python", [sys.executable, "app.py"], self.files("python", port3000=port), port)
        port = next(self.ports)
        self.start("node", ["node", "app.mjs"], self.files("node", port3000=port), port)
        port = next(self.ports)
        folder = self.files("go", port3000=port)
        subprocess.run(
            ["/usr/bin/go", "build", "-o", "app", "app.go", "tokens.go"], cwd=folder, check=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "GOCACHE": self.asked["cache"]})
        self.start("go", ["./app"], folder, port)
        port = next(self.ports)
        self.start("go-oidc", [built(self.asked["source"], str(self.folder), self.asked["cache"])], folder, port)
        port, behind = next(self.ports), next(self.ports)
        folder = self.files("apache", port3000=port, port3001=behind)
        self.start("behind", [sys.executable, "app.py"], folder, behind)
        self.start(
            "apache", ["apache2", "-f", folder / "apache.conf", "-D", "FOREGROUND"], folder, port,
            PWD=str(folder), PASSPHRASE="a passphrase of this test alone")

    def ready(self):
        for url in self.urls.values():
            for _ in range(600):
                try:
                    httpx.get(url, timeout=5)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)

    def stop(self):
        for program in self.running:
            # Apache's own children end with it.
            program.terminate()
        for program in self.running:
            try:
                program.wait(timeout=20)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


class Load:
    """Shows each verifier tokens, one after the other, for as long as it lives."""

    def __init__(self, asked, urls):
        self.asked, self.lock, self.over = asked, threading.Lock(), threading.Event()
        # The newest of each key.
        self.tokens = collections.OrderedDict()
        self.withdrawn, self.dead_from = None, None
        self.told = {name: {"taken": 0, "refused": 0, "wrong": []} for name in urls}
        self.fetch()
        self.threads = [threading.Thread(target=self.keep_fetching)] + [
            threading.Thread(target=self.show, args=item) for item in urls.items()]
        for thread in self.threads:
            thread.start()

    def fetch(self):
        fetched = token(self.asked, grant_type="client_credentials")["access_token"]
        with self.lock:
            self.tokens[key_of(fetched)] = fetched

    def keep_fetching(self):
        while not self.over.wait(0.1):
            self.fetch()

    def show(self, name, url):
        try:
            self.keep_showing(self.told[name], url)
        except httpx.TransportError as error:
            self.told[name]["wrong"].append(f"it is not there: {error}")

    def keep_showing(self, told, url):
        with httpx.Client(timeout=30) as client:
            while not self.over.wait(0.02):
                with self.lock:
                    shown = list(self.tokens.items())
                for key, one in shown:
                    sent = time.monotonic()
                    status = client.get(url, headers={"Authorization": f"Bearer {one}"}).status_code
                    self.judge(told, key, status, sent)

    def judge(self, told, key, status, sent):
        if key != self.withdrawn:
            # The key may have been withdrawn while the answer was on its way.
            if status == 200:
                told["taken"] += 1
            elif key != self.withdrawn:
                told["wrong"].append(f"a valid token of {key} was answered {status}")
        elif self.dead_from is not None and sent > self.dead_from:
            if status == 401:
                told["refused"] += 1
            else:
                told["wrong"].append(f"a token of the withdrawn {key} was answered {status}")

    def keys(self):
        with self.lock:
            return list(self.tokens)

    def wait(self, what, count):
        """Waits until each verifier has taken or refused so many more; or until something is wrong, which ends it."""
        before = {name: told[what] for name, told in self.told.items()}
        wait(lambda: all(told["wrong"] or told[what] >= before[name] + count for name, told in self.told.items()))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Operator:
    """What an operator does, and what time does."""

    def __init__(self, asked):
        self.asked = asked

    def gatepost(self, *arguments):
        subprocess.run(
            [self.asked["program"], *arguments], check=True, capture_output=True,
            env={"PATH": "/usr/bin:/bin", **self.asked["settings"]})

    def sql(self, statement):
        return subprocess.run(
            ["psql", "-qXAt", "-d", self.asked["database"], "-c", statement], check=True, capture_output=True,
            text=True).stdout.strip()

    def rotate(self):
        self.sql("update signing_keys set activated_at = activated_at - interval '100 days' where state = 'active'")
        self.gatepost("jobs", "run", "enqueue-key-rotations")
        # Of each algorithm, and of the other app too.
        wait(lambda: self.sql("select bool_and('next' = any (states)) from (select array_agg(state) as states"
                              " from signing_keys group by app_id, algorithm) as kinds") == "t")
        # Published for as long as anybody may keep the set, and a node what it knows; an hour in place of this.
        time.sleep(self.asked["seconds"] + NODE + 1)
        self.sql("update signing_keys set created_at = created_at - interval '2 hours' where state = 'next'")
        self.gatepost("jobs", "run", "activate-signing-keys")


def wait(truth, seconds=60):
    deadline = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.05)


def main():
    asked = json.load(sys.stdin)
    operator = Operator(asked)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        verifiers = Verifiers(asked, folder)
        load = None
        try:
            verifiers.start_all()
            verifiers.ready()
            answered = show_strange(asked, verifiers.urls)
            # One relying party all along, with the keys that it has.
            party = Party(asked | {"clients": {"basic": {"id": asked["client"], "secret": asked["secret"]}}})
            signed_in = [party.sign_in()["id_token"]["sub"]]
            load = Load(asked, verifiers.urls)
            load.wait("taken", 5)
            operator.rotate()
            wait(lambda: len(load.keys()) == 2)
            signed_in.append(party.sign_in()["id_token"]["sub"])
            load.wait("taken", 20)
            withdrawn = load.keys()[-1]
            load.withdrawn = withdrawn
            operator.gatepost("keys", "revoke", asked["app"], withdrawn)
            load.dead_from = time.monotonic() + NODE + asked["seconds"] + 1
            wait(lambda: len(load.keys()) == 3)
            signed_in.append(party.sign_in()["id_token"]["sub"])
            load.wait("refused", 3)
        finally:
            if load:
                load.stop()
            verifiers.stop()
        logs = {file.stem: file.read_text(errors="replace")[-2000:] for file in pathlib.Path(folder).glob("*.log")}
    for name, told in load.told.items():
        if told["wrong"]:
            told["wrong"] = told["wrong"][:5] + [f"{len(told['wrong'])} in all", logs[name]]
    json.dump({"verifiers": load.told, "keys": load.keys(), "strange": answered, "party": signed_in}, sys.stdout)


main()
