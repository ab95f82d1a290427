"""Write the table as a page for people: ``python -m manifests.gallery`` makes ``docs/errors.md``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from manifests.table import Changed, Entry, Group, Ring, groups

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
_LONGEST, _MOST = 60, 3
_END = "...\n"  # of a document that is a scalar

_HEAD = """\
<!-- Made from tests/manifests by `make crds`; do not edit. -->
# A gallery of errors

What people write, who refuses it, and what they then read. Each entry is one of the [examples](../examples) with the
change shown; every one is tried, in the tests, on a real API server, with the models, and by the operator.

| Refused by | When | You read the sentence in |
|---|---|---|
| schema: types, limits, names | `kubectl apply`, in the server's words | `streamjob validate` |
| cel: rules across fields | `kubectl apply`, in the words given here | `streamjob validate` |
| model: all else about a spec | the operator reads it | the job's conditions, `streamjob validate` |
| operator: what needs the OU's other objects | the operator reads them | the job's conditions, `streamjob validate` |

`streamjob validate FILE...` says all of this [without a cluster](validate.md). Unknown fields are refused by the strict
validation of `kubectl`, its default; a client that asks for none has them dropped without a word. Where the server
refuses a value it prints it: an address with a password too. An edit that is refused leaves the last
valid spec running.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for group in groups() for line in _section(group))])


def _section(group: Group) -> Iterator[str]:
    yield f"## {group.title}\n"
    yield f"{group.about}\n"
    for entry in group.entries:
        if entry.ring is not Ring.NONE:
            yield from _shown(entry)
    right = [entry.name for entry in group.entries if entry.ring is Ring.NONE]
    if right:
        yield f"Accepted: {'; '.join(right)}.\n"


def _shown(entry: Entry) -> Iterator[str]:
    yield f"**{entry.name}** ({entry.ring})\n"
    yield f"```yaml\n{_changes(entry)}```\n"
    for each in entry.ou:
        if each.changes or each.removed:
            yield f"beside this {each.kind}:\n\n```yaml\n{_changes(each)}```\n"
    yield "```text\n" + "\n".join(entry.says) + "\n```\n"
    if entry.ring is Ring.CEL:
        yield f"`kubectl` says: {entry.server}\n"


def _changes(of: Changed) -> str:
    return "".join(_lines(of)) or "# as in the example\n"


def _lines(of: Changed) -> Iterator[str]:
    for path, value in of.changes.items():
        text = yaml.safe_dump(short(value), default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
        yield f"{path}: {text.removesuffix(_END)}".rstrip() + "\n"
    for path in of.removed:
        yield f"{path}:  # removed\n"


def short(value: Any) -> Any:
    """A value that fits a page: long texts, lists and numbers are cut."""
    if isinstance(value, str) and (len(value) > _LONGEST or not value.isprintable()):
        return value.encode("utf-8", "backslashreplace").decode()[:_LONGEST] + "..." * (len(value) > _LONGEST)
    if isinstance(value, list) and len(value) > _MOST:
        return [*(short(each) for each in value[:_MOST]), "..."]
    if isinstance(value, list):
        return "[[[[..." if _is_nest(value) else [short(each) for each in value]
    if isinstance(value, dict):
        return dict(list({short(key): short(each) for key, each in value.items()}.items())[: 2 * _MOST])
    return short(str(value)) if isinstance(value, int) and abs(value) > 2**63 else value


def _is_nest(value: Any) -> bool:
    return value == [[]] or (isinstance(value, list) and len(value) == 1 and _is_nest(value[0]))


if __name__ == "__main__":
    PAGE.write_text(page())
