"""Marks on fields and models that the generated CRDs carry: units, list keys, CEL rules.

A CEL rule stands beside the model's own rule of the same meaning: what the schema refuses, the model refuses.
"""

from streamjob_api.diffs import Extra

UNIT_KEY = "x-streamjob-unit"


def unit(name: str) -> Extra:
    """The unit of a number."""
    return {UNIT_KEY: name}


def keyed_by(*names: str) -> Extra:
    """A list whose items are told apart by these fields."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(names)}


# A map that is written as a whole: the API server keeps no record of who owns each of its thousands of entries.
ATOMIC: Extra = {"x-kubernetes-map-type": "atomic"}
SET: Extra = {"x-kubernetes-list-type": "set"}
ANY_FIELDS: Extra = {"x-kubernetes-preserve-unknown-fields": True}


def rules(*messages_and_rules: tuple[str, str]) -> Extra:
    """CEL rules of a model or field: (what the user reads, the rule that must hold)."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for message, rule in messages_and_rules]}
