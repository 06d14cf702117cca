"""Asks every operation of the served OpenAPI document for all kinds of things, and holds the answers against it.

Reads {"url", "app", "client", "key", "email", "password", "redirect_uri", "seed", "cases"}: where Gatepost is, an app
with a verified user, an admin's API key, and how many cases an operation gets. What is asked comes from the seed, in
part as the document wants it and in part not.

Prints {"cases", "statuses": {"2xx": 12, …}, "silent": [<an operation that never succeeded>, …], "failures": [<what
differs>, …], "finds_a_fault": <whether it would have said so>}.
"""

import json
import random
import sys
import warnings

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis import checks as every
from schemathesis.core.failures import FailureGroup

import known_things

warnings.simplefilter("ignore")
CHECKS = [
    every.status_code_conformance,
    every.content_type_conformance,
    every.response_headers_conformance,
    every.response_schema_conformance,
    every.not_a_server_error,
]
# They disturb those that come after them, so they come last, the one that nothing can mend behind all others.
LAST = ["suspendApp", "deactivateUser", "revokeAPIKey", "endSession", "signOut", "signOutEverywhere", "changePassword"]
# Their wrong passwords use the tries of the address up.
LAST += ["beginMyFactor", "removeMyFactor", "replaceMyRecoveryCodes"]


class Everything:
    """All operations, one after the other, each with cases of both kinds."""

    def __init__(self, question):
        self.question = question
        self.chance = random.Random(question["seed"])
        self.known = known_things.Known(question, self.chance)
        self.session = requests.Session()
        self.cases = 0
        self.statuses = {}
        self.succeeded = set()
        self.failures = {}

    def ask(self):
        document = requests.get(self.question["url"] + "/openapi.json", timeout=30).json()
        operations = self.operations(document)
        operations.sort(key=lambda operation: (self.rank(operation), operation.label))
        for operation in operations:
            self.known.prepare(operation)
            good = self.question["cases"] * 2 // 3
            self.examine(operation, GenerationMode.POSITIVE, good)
            self.examine(operation, GenerationMode.NEGATIVE, self.question["cases"] - good)
        silent = sorted({operation.label for operation in operations} - self.succeeded)
        return {
            "cases": self.cases, "statuses": self.statuses, "silent": silent, "failures": sorted(self.failures.values())
        }

    def finds_a_fault(self):
        """Whether it would be told if an answer were none that the document describes."""
        wrong = {"200": {"description": "Wrong.", "content": {"text/plain": {"schema": {"type": "integer"}}}}}
        document = {
            "openapi": "3.1.0", "info": {"title": "Wrong", "version": "1"},
            "paths": {"/health/live": {"get": {"operationId": "live", "responses": wrong}}},
        }
        before = len(self.failures)
        for operation in self.operations(document):
            self.examine(operation, GenerationMode.POSITIVE, 1)
        return len(self.failures) > before

    @staticmethod
    def operations(document):
        return [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]

    @staticmethod
    def rank(operation):
        name = operation.definition.raw.get("operationId", "")
        return LAST.index(name) if name in LAST else -1

    def examine(self, operation, mode, count):
        @seed(self.question["seed"])
        @settings(
            max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate])
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case):
            self.try_one(operation, case, mode)

        try:
            one()
        except Exception as error:  # An operation without input has nothing that could be wrong.
            if mode is GenerationMode.POSITIVE:
                self.fail(operation, "no case could be made", error)

    def try_one(self, operation, case, mode):
        self.known.fill(case, 0.7 if mode is GenerationMode.POSITIVE else 0.3)
        headers = self.known.headers(operation) if self.chance.random() < 0.95 else {}
        try:
            response = case.call(
                base_url=self.question["url"], session=self.session, headers=headers, allow_redirects=False, timeout=30)
            self.known.learn(response)
            self.cases += 1
            family = f"{response.status_code // 100}xx"
            self.statuses[family] = self.statuses.get(family, 0) + 1
            if response.status_code < 400:
                self.succeeded.add(operation.label)
            case.validate_response(response, checks=CHECKS)
        except requests.exceptions.InvalidHeader:
            pass  # The client would not send it.
        except FailureGroup as group:
            for failure in group.exceptions:
                self.fail(operation, failure.title, f"{failure} in the answer to {case.as_curl_command()}")
        except requests.exceptions.RequestException as error:
            self.fail(operation, "no answer", error)
        self.known.mend(operation)

    def fail(self, operation, title, what):
        """Keeps one failure of each kind an operation, with the request that shows it."""
        self.failures.setdefault((operation.label, title), f"{operation.label}: {title}: {what}"[:2000])


def main():
    question = json.load(sys.stdin)
    report = Everything(question).ask()
    print(json.dumps(report | {"finds_a_fault": Everything(question).finds_a_fault()}))


main()
