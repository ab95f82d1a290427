"""The table of manifests, put before the operator's pure verdict and before ``streamjob validate``."""

from pathlib import Path

import pytest

from manifests.table import EXAMPLES, OPERATOR, Entry, Ring, documents, entries, groups
from manifests.verdicts import command_says, operator_says
from streamjob_cli.checks import Level
from streamjob_cli.validate import Request, checked

(WITH_OU,) = [group.entries for group in groups() if group.name == OPERATOR]
# The large ones say no more than the small ones, and take a while to be written.
BY_THEMSELVES = [entry for entry in entries() if entry not in WITH_OU and len(str(entry.manifest)) < 100_000]


@pytest.mark.parametrize("entry", WITH_OU, ids=str)
def test_the_operator_says_exactly_what_the_table_says(entry: Entry) -> None:
    assert operator_says(entry) == list(entry.says)


@pytest.mark.parametrize("entry", WITH_OU, ids=str)
def test_validate_says_the_same_of_files_as_the_operator(entry: Entry, tmp_path: Path) -> None:
    said = [] if entry.is_told_elsewhere else list(entry.says)
    assert sorted(command_says(entry, tmp_path)) == sorted(said)


@pytest.mark.parametrize("entry", BY_THEMSELVES, ids=str)
def test_validate_says_the_same_of_a_file_as_the_model(entry: Entry, tmp_path: Path) -> None:
    assert sorted(command_says(entry, tmp_path)) == sorted(entry.says)


@pytest.mark.parametrize("ring", Ring)
def test_every_ring_has_its_share(ring: Ring) -> None:
    assert sum(entry.ring is ring for entry in entries()) >= 25


def test_the_examples_are_right_together() -> None:
    report = checked(Request([str(EXAMPLES)]))
    faults = [finding.text for finding in report.findings if finding.level is not Level.WARNING]
    assert faults == []
    assert len(report.findings) < sum(len(documents(file)) for file in EXAMPLES.rglob("*.yaml"))
