"""Names of time zones, as in the IANA database: https://www.iana.org/time-zones."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self
from zoneinfo import ZoneInfo, available_timezones

from streamjob_api.suggestions import did_you_mean
from streamjob_api.written import Written

# Of the database's folder, but of no place: the machine's own zone, and that of a machine where none was set.
_NO_ZONES = {"localtime", "Factory"}


@dataclass(frozen=True)
class TimeZone(Written):
    """A time zone; its days may have 23 or 25 hours."""

    PATTERN: ClassVar[str] = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$"
    MAX_LENGTH: ClassVar[int] = 64
    EXAMPLE: ClassVar[str] = "a name of the IANA database, as in Europe/Berlin or UTC"

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a name that the machine's database knows."""
        if text not in _known():
            raise ValueError(f"'{text}' is no time zone; write {cls.EXAMPLE}{_nearest(text)}")
        return cls(text)

    @property
    def zone(self) -> ZoneInfo:
        """The zone's rules."""
        return ZoneInfo(self.text)

    def __str__(self) -> str:
        return self.text


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES


def _nearest(text: str) -> str:
    cities = [name for name in sorted(_known()) if name.rpartition("/")[2].casefold() == text.casefold()]
    if cities:
        return f"; did you mean '{cities[0]}'?"
    # Places whose names are a little alike lie far apart, and an abbreviation is like those of other continents.
    return did_you_mean(text, (name for name in _known() if "/" in name), at_least=0.85)
