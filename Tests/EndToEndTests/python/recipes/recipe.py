"""Follows a recipe of docs/recipes as a reader would.

A fenced block whose first line names a file is written to that file. A block of `sh` is typed into one shell, which
runs in an empty folder; the fenced block behind it is what it must print. A paragraph that begins with **Open** has a
person open the address in a browser, one with **Press** has them press a button there, and the fenced block behind it
must be in the page that they end at. An ellipsis stands for anything within a line.
"""

import os
import pathlib
import re
import select
import signal
import subprocess
import time

MARK = "----- end of step -----"
SHOWN = ("json", "text", "html")


def steps(text):
    """The steps of a recipe: ("file", name, content), ("sh", command, shown) or ("open" or "press", what, shown)."""
    found = [
        (match.start(), match) for pattern in
        (r"^```(\w*)(?: ([\w./-]+))?\n(.*?)^```$", r"^\*\*(Open|Press)\*\* (http\S+|\"[^\"]+\")")
        for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL)
    ]
    parts = [match for _, match in sorted(found, key=lambda pair: pair[0])]
    steps = []
    for part in parts:
        if part.group(0).startswith("**"):
            steps.append([part.group(1).lower(), part.group(2).strip('"'), None])
        elif part.group(2):
            steps.append(["file", part.group(2), part.group(3)])
        elif part.group(1) == "sh":
            steps.append(["sh", part.group(3), None])
        elif part.group(1) in SHOWN and steps and steps[-1][0] != "file" and steps[-1][2] is None:
            steps[-1][2] = part.group(3)
    return steps


def pattern(shown):
    """What an answer must match."""
    return re.escape(shown.strip()).replace("…", "[^\n]+")


class Shell:
    """One shell in a folder, typed into command by command, and whatever it has started."""

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)

    def type(self, command, seconds=120):
        """What a command prints."""
        self.process.stdin.write(f"{command}\necho\necho '{MARK}'\n".encode())
        self.process.stdin.flush()
        output, deadline = b"", time.monotonic() + seconds
        while MARK.encode() not in output:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command} printed {output.decode()} and did not end")
            ready, _, _ = select.select([self.process.stdout], [], [], 1)
            piece = self.process.stdout.read() if ready else b""
            if ready and not piece:
                raise EOFError(f"{command} ended the shell: {output.decode()}")
            output += piece or b""
        return output.decode().split(MARK)[0]

    def close(self):
        """Ends the shell with everything that it started: the session is its own."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        # A shell without job control keeps its children in its own group; there are no others.
        self.process.wait()


def follow(path, replaced, folder, environment, person, afterwards=None):
    """Takes every step, then a check of the caller's while all still runs.

    Returns what was done, and what was shown and what came where these differ.
    """
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for ours, actual in replaced.items():
        text = text.replace(ours, actual)
    done, wrong, shell = [], [], Shell(folder, environment)
    try:
        for kind, what, shown in steps(text):
            done.append(kind)
            if kind == "file":
                file = pathlib.Path(folder, what)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(shown, encoding="utf-8")
                continue
            try:
                actual = shell.type(what) if kind == "sh" else getattr(person, kind)(what)
            except Exception as error:  # What a step dies of is what the test must say.
                actual, shown = f"{type(error).__name__}: {error}", shown or "an end"
            fits = re.fullmatch if kind == "sh" else re.search
            if shown is not None and not fits(pattern(shown), actual.strip()):
                wrong.append({"step": what, "shown": shown, "actual": actual})
                break
        if afterwards and not wrong:
            done.append("check")
            wrong += afterwards()
        logs = {file.name: file.read_text() for file in pathlib.Path(folder).glob("*.log")} if wrong else {}
    finally:
        shell.close()
    return {"done": done, "wrong": wrong, "logs": logs}
