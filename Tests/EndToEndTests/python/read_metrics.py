"""Reads a page of metrics as Prometheus' own client for Python does, and says what is in it.

Takes {"text": …}; answers the families with type, help, and samples with their labels.
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

question = json.load(sys.stdin)
families = []
for family in text_string_to_metric_families(question["text"]):
    families.append(
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "value": str(sample.value)}
                for sample in family.samples
            ],
        }
    )
json.dump(families, sys.stdout)
