"""`streamjob validate` where anything may stand anywhere: findings in plain words, never an exception."""

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_cli.checks import Finding, objects
from streamjob_cli.manifests import Manifest
from streamjob_cli.ou_checks import ou_findings
from streamjob_cli.reports import Report, as_json, github, text
from streamjob_cli.yaml_documents import Lines

EXAMPLES = [
    document
    for file in sorted((Path(__file__).parents[3] / "examples").glob("*/*.yaml"))
    for document in yaml.safe_load_all(file.read_text())
]
WORDS = ["name", "namespace", "state", "policies", "input", "kafka", "models", "configMap", "template", "parameters"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=10,
)
JARGON = ("Input should", "validation error", "instance of", "Traceback")


def with_anything(document: dict[str, Any], changes: list[tuple[int, Any]]) -> dict[str, Any]:
    """A manifest in which something else stands at places that the numbers choose."""
    document = deepcopy(document)
    for seed, value in changes:
        choice, part = random.Random(seed), document  # noqa: S311 (the number chooses a place)
        while True:
            key: Any = choice.choice(list(part) if isinstance(part, dict) else range(len(part)))
            if not (isinstance(part[key], dict | list) and part[key] and choice.random() < 0.8):
                part[key] = value
                break
            part = part[key]
    return document


def findings(documents: list[dict[str, Any]]) -> list[Finding]:
    found = objects(Manifest("a.yaml", document, Lines(None)) for document in documents)
    told = [*found.findings, *ou_findings(found, None)]
    report = Report(told, found.checked, found.passed_over, 0)
    assert all("".join(form(report, quiet=False)) for form in (text, github, as_json))
    return told


def test_the_examples_are_right_but_for_what_is_supported_later() -> None:
    later = "is not supported by this version yet"
    assert [finding for finding in findings(EXAMPLES) if later not in finding.text] == []


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.integers(0, 2**32), ANYTHING), max_size=3)),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_stands_in_a_manifest_is_told_in_plain_words(
    changed: list[tuple[dict[str, Any], list[tuple[int, Any]]]],
) -> None:
    for finding in findings([with_anything(document, changes) for document, changes in changed]):
        assert not [word for word in JARGON if word in finding.text]
        assert len(finding.text) < 3000
