"""Runs the tour of README.md as it is written and compares every answer with the one that is shown.

Reads {"readme", "base_url", "app", "client", "admin"} on standard input. Each block of `sh` is run in one shell, in
order; the fenced block that follows it is what it must print, where an ellipsis stands for anything. Prints a list of
the steps.
"""

import json
import re
import subprocess
import sys
import tempfile

MARK = "----- end of step -----"


def steps(readme):
    """The blocks of the tour: a command and the answer that is shown for it."""
    tour = readme.split("\n## The tour\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", tour, re.MULTILINE | re.DOTALL)
    for (language, text), following in zip(blocks, blocks[1:] + [("", "")]):
        if language == "sh":
            shown = following[1] if following[0] in ("json", "text", "html") else None
            yield text, shown


def matches(shown, actual):
    """Whether an answer is the one that is shown; an ellipsis stands for anything within a line."""
    pattern = re.escape(shown.strip()).replace("…", "[^\n]+")
    return re.fullmatch(pattern, actual.strip()) is not None


def main():
    question = json.load(sys.stdin)
    with open(question["readme"], encoding="utf-8") as file:
        readme = file.read().replace("http://localhost:8080", question["base_url"])
    found = list(steps(readme))
    script = ["set -u", f"export GATEPOST={question['base_url']} APP={question['app']} CLIENT={question['client']}"
              f" ADMIN={question['admin']}"]
    for command, _ in found:
        script += [command, f"echo; echo '{MARK}'"]
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["bash", "-c", "\n".join(script)], cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    answers = run.stdout.split(MARK)
    report = []
    for (command, shown), actual in zip(found, answers):
        report.append({
            "command": command, "shown": shown or "", "actual": actual,
            "matches": shown is None or matches(shown, actual)})
    print(json.dumps({"steps": report, "expected": len(found), "errors": run.stderr}))


main()
