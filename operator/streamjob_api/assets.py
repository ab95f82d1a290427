"""Which assets a job works on: glob patterns of their ids."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from pydantic import Field

from streamjob_api.base import ApiModel
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.written import Written

MAX_PATTERNS = 200

# One way to read each set: with two, a regular expression tries all combinations of them.
_SET = r"\[[^\]\x00-\x1f]+\]"
_TOKEN = re.compile(rf"(?P<stars>\*+)|(?P<one>\?)|(?P<set>{_SET})|(?P<literal>.)", re.DOTALL)
_RANGE = re.compile(r"(.)-(.)|(.)", re.DOTALL)


@dataclass(frozen=True)
class AssetPattern(Written):
    """A glob pattern of a whole asset id, letter case included.

    Attributes:
        text: the pattern as it was written.
        regex: the same as a regular expression without groups, for engines in which ``.`` means any character.
    """

    PATTERN: ClassVar[str] = rf"^([^\[\x00-\x1f]|{_SET})+$"
    MAX_LENGTH: ClassVar[int] = 256
    EXAMPLE: ClassVar[str] = "a pattern, as in meter-*, site-?-inverter or pump-[0-9]; [*] is the character itself"

    text: str
    regex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a pattern: ``*`` any characters, ``?`` one, ``[abc]``, ``[a-f]`` and ``[!abc]`` one of or none of."""
        if not re.fullmatch(cls.PATTERN, text, re.ASCII):
            raise ValueError(f"{text!r} is not a pattern of asset ids; write {cls.EXAMPLE}")
        return cls(text, "".join(_translated(token) for token in _TOKEN.finditer(text)))

    def __str__(self) -> str:
        return self.text


def _translated(token: re.Match[str]) -> str:
    if token["stars"]:
        return ".*"
    if token["one"]:
        return "."
    return _set(token["set"]) if token["set"] else _escaped(token["literal"])


def _set(written: str) -> str:
    inner = written[1:-1]
    negated = inner.startswith("!") and len(inner) > 1
    parts = []
    for low, high, single in _RANGE.findall(inner[negated:]):
        if low > high:
            raise ValueError(f"{written!r}: {low}-{high} is no range; the lower character comes first")
        parts.append(_escaped(single) if single else f"{_escaped(low)}-{_escaped(high)}")
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _escaped(character: str) -> str:
    """Escape what any engine might take for more than itself."""
    return character if character.isalnum() or not character.isascii() else f"\\x{ord(character):02x}"


class AssetFilter(ApiModel):
    """The assets that a job works on; records of others are counted as filtered."""

    include: list[AssetPattern] = Field(
        default=[],
        max_length=MAX_PATTERNS,
        description="Patterns of asset ids: * any characters, ? one, [abc] one of these; of the whole id, letter case "
        "included. Default: all assets.",
        examples=[["meter-*", "site-[12]-pump-?"]],
        json_schema_extra=STATE_BREAKING,
    )
    exclude: list[AssetPattern] = Field(
        default=[],
        max_length=MAX_PATTERNS,
        description="Patterns of asset ids that are left out, even if included. Default: none.",
        examples=[["meter-test-*"]],
        json_schema_extra=STATE_BREAKING,
    )

    @property
    def is_open(self) -> bool:
        """Whether every asset passes."""
        return not self.include and not self.exclude

    def matches(self, asset_id: str) -> bool:
        """Whether the job works on the asset: included, or nothing is; and not excluded."""
        if self._excluded and self._excluded.fullmatch(asset_id):
            return False
        return self._included is None or self._included.fullmatch(asset_id) is not None

    @cached_property
    def _included(self) -> re.Pattern[str] | None:
        return _any_of(self.include)

    @cached_property
    def _excluded(self) -> re.Pattern[str] | None:
        return _any_of(self.exclude)


def _any_of(patterns: list[AssetPattern]) -> re.Pattern[str] | None:
    """One expression that matches what any of the patterns matches."""
    return re.compile("|".join(pattern.regex for pattern in patterns), re.DOTALL) if patterns else None
