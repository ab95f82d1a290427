"""Ticks of the clock for the assets that are known by their records."""

from __future__ import annotations

from typing import NamedTuple

from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.columns import pl

MISSED = "missedTicks"
# What is kept of an asset: the path of its model, and its last tick, epoch ms.
_KEPT = ("asset", "model_path", "tick")


class Ticked(NamedTuple):
    """What a tick gives.

    Attributes:
        due: ``asset``, ``model_path`` and ``time`` of each record to be made.
        known: of each asset, as it is to be kept.
    """

    due: pl.DataFrame
    known: pl.DataFrame


def ticked(records: pl.DataFrame, run: Run, every_ms: int) -> Ticked:
    """Return the assets whose tick has come; the stage is woken for the next one.

    Ticks are the multiples of ``every_ms`` since the epoch. An asset that a record makes known has its first one behind
    it. Of ticks that went by unseen, the last one is made, and the others are counted.
    """
    tick = run.now_ms // every_ms * every_ms
    here = records.select("asset", "model_path", tick=pl.lit(tick, pl.Int64))
    kept = run.recall()
    frames = [here] if kept is None else [kept.select(_KEPT), here]
    known = (
        pl.concat(frames)
        .group_by("asset", maintain_order=True)
        .agg(pl.col("model_path").last(), pl.col("tick").first())
    )
    is_due = known["tick"] < tick
    due = known.filter(is_due)
    missed = ((tick - due["tick"]) // every_ms - 1).sum()
    if missed:
        run.count(MISSED, int(missed))
    if known.height:
        run.wake(tick + every_ms)
    moved = known.with_columns(tick=pl.when(is_due).then(tick).otherwise("tick"))
    return Ticked(due.select("asset", "model_path", time=pl.lit(tick, pl.Int64)), moved)
