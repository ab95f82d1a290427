"""What was found in manifests, as people, programs and continuous integration read it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from streamjob_api.kinds import STREAM_JOB, STREAM_RESOURCE
from streamjob_cli.checks import Finding, Level
from streamjob_cli.printable import printable

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


@dataclass(frozen=True)
class Report:
    """The result of a check.

    Attributes:
        checked: number of objects by kind.
        passed_over: number of objects of other kinds.
        unreadable: number of files that could not be read.
    """

    findings: Sequence[Finding]
    checked: Counter[str]
    passed_over: int
    unreadable: int

    @property
    def errors(self) -> int:
        """Number of faults."""
        return sum(finding.level is Level.ERROR for finding in self.findings)


def text(report: Report, *, quiet: bool) -> Iterator[str]:
    """``file:line: kind/name: sentence`` of each finding, and a summary; quiet: the faults alone."""
    for finding in _shown(report, quiet=quiet):
        place = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
        level = "" if finding.level is Level.ERROR else f"{finding.level}: "
        subject = f"{_subject(finding)}: " if finding.kind else ""
        yield printable(f"{place}: {level}{subject}{finding.text}")
    if not quiet:
        yield summary(report)


def github(report: Report, *, quiet: bool) -> Iterator[str]:
    """Workflow commands, which GitHub shows beside the lines of a change, and a summary.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
    """
    for finding in _shown(report, quiet=quiet):
        properties = {"file": finding.file, "line": finding.line, "title": _subject(finding)}
        given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
        yield f"::{_COMMANDS[finding.level]} {given}::{_data(finding.text)}"
    if not quiet:
        yield summary(report)


def as_json(report: Report, *, quiet: bool) -> Iterator[str]:
    """One object: counts and findings."""
    content = {
        "ok": not report.errors,
        "checked": dict(report.checked),
        "passedOver": report.passed_over,
        "unreadableFiles": report.unreadable,
        "findings": [asdict(finding) for finding in _shown(report, quiet=quiet)],
    }
    yield json.dumps(content, indent=2)


def summary(report: Report) -> str:
    """What was checked, and with what result."""
    objects = [_counted(report.checked[kind], kind) for kind in (STREAM_JOB, STREAM_RESOURCE) if report.checked[kind]]
    checked = " and ".join(objects) or "No StreamJob or StreamResource"
    passed = f", {_counted(report.passed_over, 'object')} of other kinds passed over" if report.passed_over else ""
    unreadable = f", {_counted(report.unreadable, 'file')} unreadable" if report.unreadable else ""
    files = len({finding.file for finding in report.findings if finding.level is Level.ERROR})
    result = f"{_counted(report.errors, 'fault')} in {_counted(files, 'file')}" if report.errors else "no faults"
    return f"{checked} checked{passed}{unreadable}: {result}"


def _shown(report: Report, *, quiet: bool) -> Iterator[Finding]:
    return (finding for finding in report.findings if not quiet or finding.level is Level.ERROR)


def _subject(finding: Finding) -> str:
    return f"{finding.kind}/{finding.name}" if finding.name else finding.kind


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _data(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
