"""The points of a record where its shape does not list them: of an object with any members, or named by the record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

# As JSON writes it.
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"


@dataclass(frozen=True)
class Flat:
    """What is read of an object whose set of members may differ from message to message.

    Attributes:
        members: pairs of a selected point and the member that holds its value.
        counted: the members that are points, selected or not; None: all of them.
        takes_texts: whether a string that holds a number is one.
        is_never_empty: whether an object without any point is left to the complete reading.
    """

    members: tuple[tuple[str, str], ...]
    counted: tuple[str, ...] | None = None
    takes_texts: bool = False
    is_never_empty: bool = False

    def value_of(self, member: str) -> str:
        """Expression for the number of one member, in its group; with its quotes where it is a string."""
        value = rf'{NUMBER}|"{NUMBER}"' if self.takes_texts else NUMBER
        return rf'(?:^|,)\s*"{re.escape(member)}"\s*:\s*({value})\s*(?:,|$)'

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
    """

    ids: Mapping[str, str]
    takes_texts: bool = False

    @property
    def point(self) -> pl.Expr:
        """The point's id, from its name."""
        return pl.col("point").replace(dict(self.ids))

    @property
    def value(self) -> pl.Expr:
        """The number without quotes; null where the value is none."""
        quotes = '"?' if self.takes_texts else ""
        return pl.col("v0").str.extract(f"^{quotes}({NUMBER}){quotes}$")
