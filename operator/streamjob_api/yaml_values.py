"""YAML that others wrote, as mappings, lists and strings: nothing is interpreted, so nothing can be misunderstood.

Unlike ``safe_load``: ``on`` and ``007`` stay what they are, a key given twice is a fault, an alias expands to
nothing, and no text makes the C parser run out of stack or the process out of time.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

YamlValue = str | list["YamlValue"] | dict[str, "YamlValue"] | None

# libyaml's loader overflows the C stack at some 100,000 levels, and its parser's time grows with their square.
_MAX_DEPTH = 20
_NULLS = {"", "~", "null", "Null", "NULL"}
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class InvalidYaml(ValueError):  # noqa: N818 (says what the text is)
    """A text that is no YAML, or YAML that is refused; the message says where."""


def load(text: str, max_bytes: int) -> YamlValue:
    """The one document of a YAML text; None when there is none.

    Raises:
        InvalidYaml: with line and column, both counted from 1.
    """
    # surrogates cannot be encoded, but first of all the text must be short
    if (size := len(text.encode(errors="surrogatepass"))) > max_bytes:
        raise InvalidYaml(f"{size} bytes are too many; at most {max_bytes}")
    document = _Document()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            document.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidYaml(f"{_place(mark)}: {error.problem or error.context}") from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise InvalidYaml(f"a character that YAML does not allow: {str(error).splitlines()[0]}") from error
    return document.value


def _place(mark: Any) -> str:
    # two classes without a common base, libyaml's and Python's
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "line 1, column 1"


@dataclass
class _Open:
    """A mapping or list whose end was not seen yet."""

    value: list[YamlValue] | dict[str, YamlValue]
    key: str | None = None  # of a mapping: given, and waiting for its value


@dataclass
class _Document:
    """Puts events together."""

    value: YamlValue = None
    _open: list[_Open] = field(default_factory=list)
    _documents: int = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _refused(event, "a second document begins; write one")
            case yaml.AliasEvent():
                raise _refused(event, f"the alias '*{event.anchor}' is not accepted; write the value itself")
            case yaml.ScalarEvent():
                self._put(event, None if event.implicit[0] and event.value in _NULLS else event.value)
            case yaml.SequenceStartEvent():
                self._begin(event, [])
            case yaml.MappingStartEvent():
                self._begin(event, {})
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._open.pop()

    def _begin(self, event: yaml.Event, value: list[YamlValue] | dict[str, YamlValue]) -> None:
        if len(self._open) == _MAX_DEPTH:
            raise _refused(event, f"more than {_MAX_DEPTH} levels of nesting")
        self._put(event, value)
        self._open.append(_Open(value))

    def _put(self, event: yaml.Event, value: YamlValue) -> None:
        if not self._open:
            self.value = value
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = _new_key(event, value, parent.value)
        else:
            parent.value[parent.key] = value
            parent.key = None


def _new_key(event: yaml.Event, key: YamlValue, mapping: dict[str, YamlValue]) -> str:
    if not isinstance(key, str):
        raise _refused(event, "a field's name must be a text")
    if key in mapping:
        raise _refused(event, f"the field '{key}' is given twice")
    return key


def _refused(event: yaml.Event, why: str) -> InvalidYaml:
    return InvalidYaml(f"{_place(event.start_mark)}: {why}")
