"""Has a person sign in to an app that uses go-oidc.

Reads {"source", "cache", "port", "issuer", "base_url", "app", "client", "secret", "email"} as JSON from standard input.
Writes what the app says of the sign-in.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import httpx

sys.path.insert(0, f"{sys.path[0]}/recipes")
from person import Person


def built(source, folder, cache):
    """The program, built from Debian's sources of its packages alone."""
    program = pathlib.Path(folder, "app")
    subprocess.run(
        ["/usr/bin/go", "build", "-o", program, source], check=True, capture_output=True, text=True, env={
            "PATH": "/usr/bin:/bin", "HOME": folder, "GOCACHE": cache, "GOPATH": "/usr/share/gocode",
            "GO111MODULE": "off", "GOFLAGS": "-p=1",
        })
    return program


def main():
    asked = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        program = subprocess.Popen([built(asked["source"], folder, asked["cache"])], env={
            "ISSUER": asked["issuer"], "APP": asked["app"], "CLIENT": asked["client"], "SECRET": asked["secret"],
            "PORT": str(asked["port"]),
        })
        try:
            for _ in range(200):
                try:
                    httpx.get(f"http://localhost:{asked['port']}/api")
                    break
                except httpx.ConnectError:
                    time.sleep(0.05)
            person = Person(asked["base_url"], asked["app"], asked["email"])
            sys.stdout.write(person.open(f"http://localhost:{asked['port']}/"))
        finally:
            program.kill()
            program.wait()


if __name__ == "__main__":
    main()
