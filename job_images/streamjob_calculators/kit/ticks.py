"""Ticks of the clock for assets: those that are known by their records, and those that are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.columns import pl

if TYPE_CHECKING:
    from streamjob_api.points import PointRef
    from streamjob_calculators.kit.chosen_assets import ChosenAssets

MISSED = "missedTicks"
# What is kept of an asset: the path of its model, null where no record has told it, and its last tick, epoch ms.
_KEPT = ("asset", "model_path", "tick")


class Ticked(NamedTuple):
    """What a tick gives.

    Attributes:
        due: ``asset``, ``model_path`` and ``time`` of each record to be made.
        known: of each asset, as it is to be kept.
    """

    due: pl.DataFrame
    known: pl.DataFrame


def ticked(
    records: pl.DataFrame, run: Run, every_ms: int, output: PointRef, assets: ChosenAssets | None = None
) -> Ticked:
    """Return the assets whose tick has come; the stage is woken for the next one.

    Ticks are the multiples of ``every_ms`` since the epoch. An asset that a record makes known, or a list, has its
    first one behind it. Of ticks that went by unseen, the last one is made, and the others are counted.

    Args:
        records: that make assets known.
        run: the stage's.
        every_ms: from tick to tick.
        output: whose model those have of which nothing but their names is known.
        assets: those that have ticks; None: all that are known.
    """
    tick = run.now_ms // every_ms * every_ms
    known = _known(records, run, tick, assets)
    is_due = known["tick"] < tick
    due = known.filter(is_due)
    if assets is not None and not assets.is_list:
        due = due.filter(pl.col("asset").is_in(assets.of(due["asset"].to_list(), run)))
    missed = ((tick - due["tick"]) // every_ms - 1).sum()
    if missed:
        run.count(MISSED, int(missed))
    if known.height:
        run.wake(tick + every_ms)
    moved = known.with_columns(tick=pl.when(is_due).then(tick).otherwise("tick"))
    path = pl.col("model_path").fill_null(f"/{output.model}")
    return Ticked(due.select("asset", path, time=pl.lit(tick, pl.Int64)), moved)


def _known(records: pl.DataFrame, run: Run, tick: int, assets: ChosenAssets | None) -> pl.DataFrame:
    """Return all known assets, each with its last tick; where there is a list, those that are on it."""
    frames = [records.select("asset", "model_path")]
    listed = None if assets is None or not assets.is_list else pl.Series("asset", assets.listed(run), dtype=pl.String)
    if listed is not None:
        frames.append(pl.DataFrame([listed]).with_columns(model_path=pl.lit(None, pl.String)))
    known = pl.concat(frames).with_columns(tick=pl.lit(tick, pl.Int64))
    kept = run.recall()
    if kept is not None:
        known = pl.concat([kept.select(_KEPT), known])
    if listed is not None:
        known = known.filter(pl.col("asset").is_in(listed.implode()))
    path, last_tick = pl.col("model_path").drop_nulls().last(), pl.col("tick").first()
    return known.group_by("asset", maintain_order=True).agg(path, last_tick)
