"""Paths into a JSON document: ``device.id``, ``readings[0]``, ``values['energy.total']``, ``$.device.id``."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from streamjob_api.schema_marks import rules
from streamjob_api.written import Written

Step = str | int

_BARE = r"[^\[\]\s.'\"\\$\x00-\x1f][^\[\]\s.'\"\\\x00-\x1f]*"
_QUOTED = r"\['([^'\\\x00-\x1f]|\\['\\])+'\]"
_INDEX = r"\[(0|[1-9][0-9]{0,3})\]"
_BRACKETS = rf"({_QUOTED}|{_INDEX})"
_STEP = re.compile(rf"\.?(?P<bare>{_BARE})|(?P<quoted>{_QUOTED})|(?P<index>{_INDEX})", re.ASCII)


@dataclass(frozen=True)
class JsonPath(Written):
    """The way to one value of a JSON document.

    Attributes:
        text: the path as it was written.
        steps: names of members and indices of list elements, from the outside in; none: the document itself.
        is_from_message: whether it begins with ``$``: at the message, even where other paths begin at an element.
    """

    PATTERN: ClassVar[str] = rf"^(\$|{_BARE}|{_BRACKETS})(\.{_BARE}|{_BRACKETS})*$"
    MAX_LENGTH: ClassVar[int] = 256
    EXAMPLE: ClassVar[str] = "member names and indices, as in device.id, readings[0] or values['energy.total']"

    text: str
    steps: tuple[Step, ...]
    is_from_message: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Parse a path; names with dots, blanks or brackets stand in ``['...']``, with ``\'`` and ``\\`` in it."""
        if not re.fullmatch(cls.PATTERN, text, re.ASCII):
            raise ValueError(f"{text!r} is not a path; write {cls.EXAMPLE}")
        steps = tuple(_step(found) for found in _STEP.finditer(text.removeprefix("$")))
        return cls(text, steps, text.startswith("$"))

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # The sentence is for people, who could not read the pattern in the API server's answer.
        sentence = (f"not a path; write {cls.EXAMPLE}", f"self.matches(r'''{cls.PATTERN}''')")
        return super().__get_pydantic_json_schema__(schema, handler) | rules(sentence)


def _step(found: re.Match[str]) -> Step:
    if found["index"]:
        return int(found["index"][1:-1])
    if found["quoted"]:
        return re.sub(r"\\(.)", r"\1", found["quoted"][2:-2])
    return found["bare"]
