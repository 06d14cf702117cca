"""Validates an OpenAPI document by the schema and the rules of its own specification.

Reads {"document"} and prints {"errors": [<what is wrong>, …]}.
"""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

question = json.load(sys.stdin)
document = json.loads(question["document"])
errors = [f"{list(error.absolute_path)}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
print(json.dumps({"errors": errors}))
