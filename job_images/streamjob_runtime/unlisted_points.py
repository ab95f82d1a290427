"""The points of a record where its shape does not list them: of an object with any members, or named by the record."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

# As JSON writes it.
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
# Of an object whose strings have no escapes.
_ANY = rf'"[^"]*"|{NUMBER}|true|false'


@dataclass(frozen=True)
class Flat:
    """What is read of an object whose set of members may differ from message to message.

    Attributes:
        members: pairs of a selected point and the member that holds its value.
        counted: the members that are points, selected or not; None: all of them.
        takes_texts: whether a string that holds a number is one.
        is_never_empty: whether an object without any point is left to the complete reading.
        texts: points whose values may be texts or truth values.
    """

    members: tuple[tuple[str, str], ...]
    counted: tuple[str, ...] | None = None
    takes_texts: bool = False
    is_never_empty: bool = False
    texts: frozenset[str] = frozenset()

    def value_of(self, point: str, member: str) -> str:
        """Expression for the value of a point, held by a member, in its group; with its quotes where it is a string."""
        number = rf'{NUMBER}|"{NUMBER}"' if self.takes_texts else NUMBER
        value = _ANY if point in self.texts else number
        return rf'(?:^|,)\s*"{re.escape(member)}"\s*:\s*({value})\s*(?:,|$)'

    @property
    def written(self) -> Iterator[tuple[str, pl.Expr]]:
        """The selected points, each with its value as it is written, a number without quotes; null where it is none."""
        for point, member in self.members:
            value = pl.col("flat").str.extract(self.value_of(point, member))
            yield point, value if point in self.texts else value.str.strip_chars('"')

    @property
    def values(self) -> pl.Expr:
        """How many points group ``flat`` holds; one that no job reads counts as often as it is written."""
        names = "" if self.counted is None else f'"(?:{"|".join(map(re.escape, self.counted))})'
        return pl.col("flat").str.count_matches(rf'{names}"\s*:')


@dataclass(frozen=True)
class Named:
    """How records are read that name their one point; the value is any scalar in its group, quotes included.

    Attributes:
        ids: what messages call points, to their ids; other names are ids themselves.
        takes_texts: whether a string that holds a number is one.
        texts: points whose values may be texts or truth values.
    """

    ids: Mapping[str, str]
    takes_texts: bool = False
    texts: frozenset[str] = frozenset()

    @property
    def point(self) -> pl.Expr:
        """The point's id, from its name."""
        return pl.col("point").replace(dict(self.ids))

    @property
    def value(self) -> pl.Expr:
        """The number without quotes, or the value as it is written of a point of ``texts``; null where it is none."""
        number = number_in("v0", takes_texts=self.takes_texts)
        if not self.texts:
            return number
        other = pl.when(pl.col("v0") != "null").then("v0")
        return pl.when(self.point.is_in(self.texts)).then(other).otherwise(number)


def number_in(column: str, *, takes_texts: bool) -> pl.Expr:
    """The number that a scalar is, without quotes; null where it is none.

    Args:
        column: scalars as JSON writes them.
        takes_texts: whether a string that holds a number is one.
    """
    quotes = '"?' if takes_texts else ""
    return pl.col(column).str.extract(f"^{quotes}({NUMBER}){quotes}$")
