"""``streamjob validate``: what the operator would say of manifests, without a cluster."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamjob_api.kinds import STREAM_RESOURCE
from streamjob_cli.checks import Finding, Level, objects
from streamjob_cli.manifests import Fault, Manifest, read
from streamjob_cli.models_file import models_text
from streamjob_cli.ou_checks import ou_findings
from streamjob_cli.reports import Report, as_json, github, text

OK, FAULTS, UNREADABLE = 0, 2, 3

_FORMS: dict[str, Callable[..., Iterator[str]]] = {"text": text, "json": as_json, "github": github}


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        files: files, folders, or ``-`` for standard input.
        resource: a further file, which holds the StreamResource.
        models: a file with the OU's thing models: ``models.yaml`` itself, or its ConfigMap.
        is_quiet: whether only faults are told.
    """

    files: Sequence[str]
    resource: str | None = None
    models: str | None = None
    form: str = "text"
    is_quiet: bool = False


def validate(request: Request) -> int:
    """Check manifests, tell what was found, and return the exit code."""
    report = checked(request)
    for line in _FORMS[request.form](report, quiet=request.is_quiet):
        sys.stdout.write(line + "\n")
    if report.unreadable:
        return UNREADABLE
    return FAULTS if report.errors else OK


def checked(request: Request) -> Report:
    """Check manifests."""
    manifests, faults = read(request.files)
    if request.resource is not None:
        more, wrong = read([request.resource])
        known = {os.path.realpath(manifest.file) for manifest in manifests}
        manifests += [manifest for manifest in more if os.path.realpath(manifest.file) not in known]
        faults += wrong or _without_resource(request.resource, more)
    models, also = models_text(request.models) if request.models is not None else (None, [])
    faults += also
    found = objects(manifests)
    of_files = [Finding.of_file(fault) for fault in faults]
    findings = _in_order([*of_files, *found.findings, *ou_findings(found, models)], request.files)
    return Report(findings, found.checked, found.passed_over, sum(fault.is_unreadable for fault in faults))


def _without_resource(file: str, manifests: Sequence[Manifest]) -> list[Fault]:
    if any(manifest.kind == STREAM_RESOURCE for manifest in manifests):
        return []
    return [Fault(file, None, "no StreamResource is here; --resource names the file that holds it")]


def _in_order(findings: Iterable[Finding], names: Sequence[str]) -> list[Finding]:
    """Files as they were given, lines as they stand, each sentence once; notes last."""
    return sorted(
        dict.fromkeys(findings),
        key=lambda each: (each.level is Level.NOTE, _given_as(each.file, names), each.file, each.line or 0),
    )


def _given_as(file: str, names: Sequence[str]) -> int:
    """The number of the argument that a file was given as, or below."""
    return next((number for number, name in enumerate(names) if Path(file).is_relative_to(name)), len(names))
