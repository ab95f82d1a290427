"""The latest value of each asset and input of one shard: the one with the highest time, of equals the last one."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.device_state_combiner import NEWEST_BLOCK, SERIES
from streamjob_runtime.templates.held_values import value_of
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Held

LATEST_BUCKET = 1
_VALUE = ("value", "is_int", "text")
_HELD = pl.Schema({name: NEWEST_BLOCK[name] for name in (*SERIES, "time", *_VALUE)})
_PLACE = "place"


def update_latest(store: BlockStore, rows: pl.DataFrame) -> pl.DataFrame:
    """Bring a shard up to date with NEWEST_BLOCK's rows, one for each asset and input; return those that are news.

    A record that only repeats what is known is none.
    """
    held = store.get(LATEST_BUCKET)
    if held is None:
        held = _HELD.to_frame()
    known = held.lazy().with_row_index(_PLACE)
    news = rows.lazy().join(known, on=SERIES, how="left", maintain_order="left").filter(_is_news()).collect()
    if news.height:
        is_kept = np.ones(held.height, np.bool_)
        is_kept[news[_PLACE].drop_nulls().to_numpy()] = False
        store.put(LATEST_BUCKET, pl.concat([held.filter(is_kept), news.select(list(_HELD))]))
    return news


def forget_latest(store: BlockStore, chosen: Chosen, inputs: Sequence[PointRef]) -> frozenset[str]:
    """Drop the latest values of some assets and inputs; return the assets of which none is left."""
    held = store.get(LATEST_BUCKET)
    if held is None:
        return frozenset()
    is_forgotten = chosen.flags(held["asset"].to_list(), held["input"].to_list(), inputs)
    if not is_forgotten.any():
        return frozenset()
    left = held.filter(~is_forgotten)
    store.put(LATEST_BUCKET, left)
    return frozenset(held.filter(is_forgotten)["asset"]).difference(left["asset"])


def held_latest(store: BlockStore, chosen: Chosen, inputs: Sequence[PointRef]) -> Iterator[Held]:
    """Yield the latest values of some assets and inputs."""
    held = store.get(LATEST_BUCKET)
    for row in held.iter_rows(named=True) if held is not None else ():
        point = inputs[row["input"]]
        if point in chosen.points and chosen.has(row["asset"]):
            yield Held(row["asset"], str(point), "latestValue", {"time": row["time"], "value": value_of(row)})


def _is_news() -> pl.Expr:
    before = pl.col("time_right")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_right")) for name in _VALUE)
    return before.is_null() | (pl.col("time") > before) | ((pl.col("time") == before) & differs)


def as_results(rows: pl.DataFrame, inputs: Sequence[PointRef]) -> pl.DataFrame:
    """Return rows of inputs in the form of RESULTS, for a sink that takes these."""
    models, points = ([getattr(ref, part) for ref in inputs] for part in ("model", "point"))
    names = {"model": pl.Series(models, dtype=pl.String), "point": pl.Series(points, dtype=pl.String)}
    columns = {name: series.gather(rows["input"]) for name, series in names.items()}
    return rows.with_columns(**columns, attr=pl.lit("{}")).select(list(RESULTS))
