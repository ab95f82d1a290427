"""The counts of each site over all shards: what no shard knows alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

# The devices of a site at a time at which their number changed.
SITE_STATES: Final = pl.Schema({"site": pl.String, "time": pl.Int64, "online": pl.Int64, "offline": pl.Int64})
_NUMBERS: Final = ("online", "offline")


@dataclass
class SiteTotals:
    """Adds the shards up, for as long as a driver lives.

    What changes is held back until every shard has told its counts once, which each does in the first micro-batch after
    a start.

    Attributes:
        shards: how many there are.
    """

    shards: int
    _standing: dict[int, pl.DataFrame] = field(default_factory=dict)
    _held_back: list[pl.DataFrame] = field(default_factory=list)

    def take(self, told: Iterable[tuple[int, pl.DataFrame]]) -> pl.DataFrame:
        """Take the SITE_COUNTS of a micro-batch, each with its shard; return SITE_STATES of what changed, by time."""
        for shard, counts in told:
            changes = counts.drop_nulls("time")
            if shard not in self._standing or changes.height:
                self._standing[shard] = counts.filter(pl.col("time").is_null())
            if changes.height:
                self._held_back.append(changes)
        if len(self._standing) < self.shards or not self._held_back:
            return SITE_STATES.to_frame()
        changes, self._held_back = pl.concat(self._held_back), []
        return _states(changes, pl.concat(self._standing.values()))


def _states(changes: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """Go back from what stands now to what stood at each change."""
    net = changes.group_by("site", "time").sum().filter(pl.any_horizontal(pl.col(_NUMBERS) != 0)).sort("time", "site")
    now = standing.group_by("site").agg(pl.col(_NUMBERS).sum())
    met = net.join(now, on="site", how="left", suffix="_now", maintain_order="left")
    following = [pl.col(name).sum().over("site") - pl.col(name).cum_sum().over("site") for name in _NUMBERS]
    counts = {name: pl.col(f"{name}_now").fill_null(0) - later for name, later in zip(_NUMBERS, following, strict=True)}
    return met.select("site", "time", **counts)
