"""What the operator's third ring says of an entry of the table, and what ``streamjob validate`` does."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manifests.faults import MODELS
from manifests.table import Entry, Manifest
from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.kinds import STREAM_JOB, STREAM_RESOURCE
from streamjob_api.templates import TemplateName
from streamjob_cli.checks import Level
from streamjob_cli.validate import Request, checked
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.reasons import NOT_SUPPORTED
from streamjob_operator.validation import check_manifests
from streamjob_operator.validation.manifests import Written

CATALOGUE = Catalogue({(template.library, "1.0"): "runtime:1.0" for template in TemplateName})


def operator_says(entry: Entry) -> list[str]:
    """The faults that the operator tells of the entry, in an OU whose other objects are older."""
    manifests = [*(each.manifest for each in entry.ou), entry.manifest]
    jobs, resources = of_kind(STREAM_JOB, manifests), of_kind(STREAM_RESOURCE, manifests)
    maps = of_kind("ConfigMap", manifests)
    data = {(each["metadata"]["namespace"], each["metadata"]["name"]): each["data"] for each in maps}
    of_jobs, of_resources = check_manifests([*map(written, jobs)], [*map(written, resources)], data, CATALOGUE)
    faults = (of_jobs if entry.kind == STREAM_JOB else of_resources)[-1]
    return [fault.message for fault in faults if fault.reason != NOT_SUPPORTED]


def command_says(entry: Entry, folder: Path) -> list[str]:
    """The faults that ``streamjob validate`` tells of the entry, over a file that holds the OU's other objects too."""
    file = folder / "manifests.json"
    items = [*(each.manifest for each in entry.ou), entry.manifest]
    file.write_text(json.dumps({"kind": "List", "items": items}))
    name = entry.manifest["metadata"]["name"]
    found = [each for each in checked(Request([str(file)])).findings if (each.kind, each.name) == (entry.kind, name)]
    return [each.text for each in found if each.level is Level.ERROR]


def of_kind(kind: str, manifests: Sequence[Manifest]) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def written(manifest: Manifest) -> Written[Any]:
    """A manifest as the operator sees it."""
    spec: Any
    try:
        spec = parse_spec(MODELS[manifest["kind"]], manifest["spec"])
    except InvalidSpec as error:
        spec = error
    return Written(manifest["metadata"]["namespace"], manifest["metadata"]["name"], spec)
