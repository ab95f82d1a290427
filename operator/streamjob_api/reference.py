"""Write the reference page from the models: ``python -m streamjob_api.reference FILE``."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streamjob_api.diffs import diff_of
from streamjob_api.field_types import TYPE_PAGES, type_words
from streamjob_api.kinds import API_VERSION, STREAM_JOB, STREAM_RESOURCE
from streamjob_api.places import bare, fields, part_of
from streamjob_api.spelling import as_yaml
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_api.written import Written

_INTRODUCTION = f"""\
<!-- Made from the models by `make crds`; do not edit. -->
# Reference of manifests

Every field of both kinds of `{API_VERSION}`. Fields in **bold** are required. The same texts are shown by
`kubectl explain streamjob.spec`; what is wrong with a manifest is told by [`streamjob validate`](validate.md).

Some fields are there for later versions. This one refuses, as [`NotSupported`](troubleshooting.md#notsupported):
checkpoints with a `uri`. It warns that `alarms` and `timeSeries` have no effect yet.

What a change of a StreamJob's field does to its running job:

| Change | Effect |
|---|---|
| Ignored | None. |
| Live | It is taken up without a restart. |
| Restart | The driver is replaced and goes on from its checkpoint. |
| StateBreaking | Refused (`StateBreakingChange`), unless `upgradeMode: Stateless` drops state and offsets. |

[Upgrades](upgrades.md) tells what happens step by step.
"""
_VALUES = """\
## Forms of values

Values of these types are written as texts; put quotes around those that begin with `[` or hold `: `.

| Type | Written as |
|---|---|
"""


@dataclass(frozen=True)
class Part:
    """A part of a manifest with fields of its own, and the heading of its section."""

    heading: str
    model: type[BaseModel]

    @property
    def anchor(self) -> str:
        """As GitHub makes it from the heading."""
        return re.sub(r"[^a-z0-9_-]", "", self.heading.lower())


def rendered() -> str:
    """The page."""
    kinds = ((STREAM_JOB, StreamJobSpec), (STREAM_RESOURCE, StreamResourceSpec))
    sections = [_INTRODUCTION]
    for kind, model in kinds:
        sections.append(f"## {kind}\n")
        sections += [section(part) for part in parts(Part(f"{kind}.spec", model))]
    rows = [f"| {words} | {page} |" for words, page in sorted(TYPE_PAGES.items())]
    return "\n".join([*sections, _VALUES + "\n".join(rows) + "\n"])


def parts(part: Part) -> Iterator[Part]:
    """A part and all below it, in the order of the fields."""
    yield part
    for name, field in fields(part.model).items():
        below = _below(part, name, field)
        if below is not None:
            yield from parts(below)


def _below(part: Part, name: str, field: FieldInfo) -> Part | None:
    model = part_of(field.annotation)
    if model is None:
        return None
    brackets = "[]" if get_origin(bare(field.annotation)) is list else ""
    return Part(f"{part.heading}.{name}{brackets}", model)


def section(part: Part) -> str:
    """A part's heading, what it is, and a table of its fields."""
    schema = part.model.model_json_schema(by_alias=True)
    properties = schema["properties"]
    table = [_row(part, name, field, properties[name]) for name, field in fields(part.model).items()]
    names = ["Field", "Type", "Default", "Change", "Meaning", "Example"]
    kept = [number for number, _ in enumerate(names) if any(row[number] for row in table)]
    lines = [_line([names[number] for number in kept]), "|" + "---|" * len(kept)]
    lines += [_line([row[number] for number in kept]) for row in table]
    rules = [f"- {rule['message']}" for rule in schema.get("x-kubernetes-validations", ())]
    listed = ["", "Rules:", "", *rules] if rules else []
    return "\n".join([f"### {part.heading}", "", _told(part.model), "", *lines, *listed, ""])


def _told(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def _row(part: Part, name: str, field: FieldInfo, schema: dict[str, Any]) -> list[str]:
    below = _below(part, name, field)
    title = f"**`{name}`**" if field.is_required() else f"`{name}`"
    diff = diff_of(field)
    return [
        f"[{title}](#{below.anchor})" if below else title,
        type_words(field, schema),
        _default(field),
        str(diff) if diff else "",
        _escaped(field.description or ""),
        f"`{_escaped(as_yaml(field.examples[0]))}`" if field.examples else "",
    ]


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if field.is_required() or default in (None, "", [], {}) or isinstance(default, BaseModel):
        return ""
    return f"`{as_yaml(str(default) if isinstance(default, Written | str) else default)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(file: str) -> None:
    """Write the page."""
    Path(file).write_text(rendered())


if __name__ == "__main__":
    main(sys.argv[1])
