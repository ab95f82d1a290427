"""YAML read as the API server's clients read it, with the line of every field.

Differences from PyYAML's own reading, all of them Go's: a date is a text, ``1e3`` is a number, ``1:30`` is none, and a
key given twice is a fault. Hostile input is refused before it costs much: depth, expansion of aliases, tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from streamjob_cli.yaml_hints import hint

_MAX_DEPTH = 100
# What aliases may come to when they are written out.
_MAX_NODES = 200_000
_PREFIX = "tag:yaml.org,2002:"
_TAGS = {None, "!", *(f"{_PREFIX}{name}" for name in ("str", "map", "seq"))}
# A member, an element, or a member whose name needs quotes.
_STEP = re.compile(r"""\.?([^.\[\]]+)|\[([0-9]+)\]|\[(['"])(.*?)\3\]""")
DUPLICATE_KEY = "key {!r} is given twice"


class YamlFault(Exception):  # noqa: N818 (it tells of a fault)
    """A text that cannot be read; ``line`` counts from 1."""

    def __init__(self, text: str, line: int | None) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


@dataclass(frozen=True)
class Lines:
    """Where the fields of a document stand; without a node, nowhere."""

    node: yaml.Node | None

    @property
    def first(self) -> int | None:
        """The line on which the document begins."""
        return None if self.node is None else _line(self.node)

    def below(self, *steps: str | int) -> "Lines":
        """The lines of a part of the document."""
        node = self.node
        for step in steps:
            node = next((value for key, _, value in _entries(node) if key == step), None)
        return Lines(node)

    def of(self, path: str) -> int | None:
        """The line of a field, written as ``spec.policies[0].input``, ``spec.kafka.properties['a.b']``.

        Where the field is missing, that of what should hold it.
        """
        line, node = self.first, self.node
        for name, index, _, quoted in _STEP.findall(path):
            step: str | int = int(index) if index else name or quoted
            found = next(((at, value) for key, at, value in _entries(node) if key == step), None)
            if found is None:
                break
            line, node = _line(found[0]), found[1]
        return line


def _entries(node: yaml.Node | None) -> Iterator[tuple[Any, yaml.Node, yaml.Node]]:
    """Key or index, the node at which it stands, and the value's."""
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, key, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((index, value, value) for index, value in enumerate(node.value))


class _Loader(yaml.CSafeLoader):
    """Resolves plain scalars as Go's YAML does."""


_OTHERWISE = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OTHERWISE]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"([-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def documents(data: bytes) -> Iterator[tuple[Any, Lines]]:
    """Yield each document of a text with its lines; None for an empty one.

    Raises:
        YamlFault: the text is no YAML, or not YAML that a manifest can be.
    """
    try:
        text = data.decode("utf-8-sig")
        _refuse_hostile(text)
        yield from _composed(_Loader(text))
    except UnicodeDecodeError as error:
        raise YamlFault("no text in UTF-8", data[: error.start].count(b"\n") + 1) from error
    except yaml.MarkedYAMLError as error:
        raise _marked(error, text) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1  # libyaml counts bytes
        raise YamlFault(f"no YAML: character U+{error.character:04X} is not allowed", line) from error


def _marked(error: yaml.MarkedYAMLError, text: str) -> YamlFault:
    told = f"no YAML: {error.problem or error.context}"
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return YamlFault(told, None)
    begin = error.context_mark or mark
    last = text.rstrip().count("\n") + 1  # what is missing at the end is missed behind it
    return YamlFault(told + hint(text, begin.line, mark.line, mark.column), min(mark.line + 1, last))


def _refuse_hostile(text: str) -> None:
    """Walk the events, without recursion: the composer's would end the process on deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1  # type: ignore[union-attr]
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag not in _TAGS:
            raise YamlFault(f"no manifest: the tag {event.tag!r} is not supported", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise YamlFault("no manifest: nested too deeply", line)


def _composed(loader: _Loader) -> Iterator[tuple[Any, Lines]]:
    while loader.check_node():
        if (node := loader.get_node()) is None:
            break
        try:
            _weight(node, {})
            content = loader.construct_document(node)
        except RecursionError as error:
            raise YamlFault("no manifest: nested too deeply", _line(node)) from error
        except ValueError as error:
            raise YamlFault("no manifest: a number has too many digits", _line(node)) from error
        yield content, Lines(node)


def _weight(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the nodes that a node comes to with all aliases written out; refuse keys given twice on the way."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MAX_NODES  # met again below itself, it would never end
    total = 1
    for _, at, value in _entries(node):
        total += _weight(value, known)
        if total > _MAX_NODES:
            raise YamlFault("no manifest: aliases make it too large", _line(at))
    if isinstance(node, yaml.MappingNode):
        _refuse_repetition(node)
    known[id(node)] = total
    return total


def _refuse_repetition(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
        _name(key)
        if key.value in seen:
            raise YamlFault(DUPLICATE_KEY.format(key.value), _line(key))
        seen.add(key.value)


def _name(key: yaml.ScalarNode) -> None:
    """Make a number or true and false the text that JSON's names are, as kubectl does; ``null`` is no name there."""
    kind = key.tag.removeprefix(_PREFIX)
    if kind == "bool":
        key.value = "true" if key.value.lower() in {"true", "yes", "on"} else "false"
    if kind in {"bool", "int", "float"}:
        key.tag = f"{_PREFIX}str"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
