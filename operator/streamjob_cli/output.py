"""Where results go: one record a line for programs, a table and a plot for people."""

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

import polars as pl

from streamjob_runtime.records import encode
from streamjob_runtime.templates.protocols import TOPIC

# So many more results are held before those of the same place are reduced to the last.
_MORE = 200_000
_PLACE = ["asset", "point", "time"]


@dataclass(frozen=True)
class Filter:
    """Which results are shown: glob patterns, None for all; ``point`` is matched with and without its model."""

    asset: str | None = None
    point: str | None = None

    def of(self, results: pl.DataFrame) -> pl.DataFrame:
        """Keep what matches of a template's results."""
        if self.asset is not None:
            assets = [asset for asset in results["asset"].unique() if fnmatchcase(asset, self.asset)]
            results = results.filter(pl.col("asset").is_in(assets))
        if self.point is not None:
            points = results.select("model", "point").unique()
            wanted = [row for row in points.iter_rows() if self._matches(*row)]
            named = pl.DataFrame(wanted, schema=points.schema, orient="row")
            results = results.join(named, on=["model", "point"], how="semi", maintain_order="left")
        return results

    def _matches(self, model: str, point: str) -> bool:
        pattern = self.point or "*"
        return fnmatchcase(point, pattern) or fnmatchcase(f"{model}::{point}", pattern)


class Output(Protocol):
    """Takes results as they happen."""

    def add(self, results: pl.DataFrame) -> None:
        """Take results of a template; a later one of the same asset, point and time replaces an earlier one."""

    def finish(self) -> None:
        """All results were given."""


class JsonLines:
    """Records as the driver sends them, one a line; those for a topic of their own begin with its name."""

    def __init__(self, org_id: str, shown: Filter) -> None:
        self._org_id = org_id
        self._shown = shown
        self._stream = sys.stdout.buffer

    def add(self, results: pl.DataFrame) -> None:
        """Write them at once, in UTF-8 whatever the terminal's encoding."""
        shown = self._shown.of(results)
        if shown.height:
            records = _with_topic(encode(shown, self._org_id), shown)["record"].to_list()
            self._stream.write(("\n".join(records) + "\n").encode())
            self._stream.flush()

    def finish(self) -> None:
        """Nothing is left."""


class Table:
    """The last value of each asset, point and time, as a table and a plot.

    Attributes:
        held: how many results are kept, some of them replaced by others.
    """

    def __init__(self, org_id: str, shown: Filter, limit: int) -> None:
        self._org_id = org_id
        self._shown = shown
        self._limit = limit
        self._parts: list[pl.DataFrame] = []
        self.held = 0
        self._most = _MORE

    def add(self, results: pl.DataFrame) -> None:
        """Hold them; the state of a table is the last value of each place."""
        shown = self._shown.of(results)
        if shown.is_empty():
            return
        mode = pl.col("attr").str.json_path_match("$.*.calMode").fill_null("").alias("mode")
        value = pl.when(pl.col("value").is_finite()).then("value").alias("number")
        columns = _with_topic(encode(shown, self._org_id), shown).drop("record")
        self._parts.append(columns.with_columns(shown.select(mode, value)))
        self.held += shown.height
        if self.held > self._most:
            self._parts = [self.last()]
            self.held = self._parts[0].height
            self._most = self.held + _MORE

    def last(self) -> pl.DataFrame:
        """Return ``asset, point, time, value, mode, number`` of each asset, point and time."""
        return pl.concat(self._parts).unique(_PLACE, keep="last", maintain_order=True)

    def finish(self) -> None:
        """Print table and plot."""
        from streamjob_cli.tables import show  # noqa: PLC0415 (programs need no table)

        show(self.last().sort(_PLACE) if self._parts else None, self._limit)


def _with_topic(encoded: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Return ``encode``'s rows with the topic of those that leave through one of their own."""
    if TOPIC not in results.columns:
        return encoded
    topic = results[TOPIC]
    record = pl.concat_str(pl.lit('{"topic":"'), topic, pl.lit('",'), pl.col("record").str.slice(1))
    point = pl.concat_str("point", pl.lit(" to "), topic)
    return encoded.with_columns(record=pl.coalesce(record, "record"), point=pl.coalesce(point, "point"))
