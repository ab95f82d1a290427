"""The state of one shard of an energy template: a row for each asset and input, and the records that wait.

Bucket SERIES holds the rows, whose position is their *slot*: how far the series has come, the reference's time, and for
each policy of its input the reference's value and what the reference's day, and its detail, hold so far. Which day that
is follows from the reference's time, and which one is open from the last record taken. Bucket WAITING holds, of jobs
with a latency, the records that are not taken yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import Floats, Slots, Times
from streamjob_runtime.templates.chains import Records
from streamjob_runtime.templates.ordering import NEVER, Reached
from streamjob_runtime.templates.protocols import BlockStore

SERIES, WAITING = 0, 1
_TEXTS = ("asset", "input", "model_path")
_TIMES = ("highest", "taken", "since")
# One column for each rank of a policy.
_NUMBERS = ("value", "day", "detail")


@dataclass
class EnergyState:
    """What is known of each series, by slot.

    Attributes:
        reached: watermark and last record taken.
        since: time of the reference.
        value, day, detail: one row for each rank of a policy: the reference's value (NaN: none), and the sums of its
            day and its detail.
    """

    assets: list[str]
    inputs: list[int]
    paths: list[str]
    reached: Reached
    since: Times
    value: Floats
    day: Floats
    detail: Floats

    @classmethod
    def load(cls, store: BlockStore, width: int) -> Self:
        """Read a shard, of a job with up to ``width`` policies of an input; an empty one at first."""
        block = store.get(SERIES)
        if block is None:
            times, none = np.empty(0, np.int64), np.empty((width, 0))
            return cls([], [], [], Reached(times, times), times, none, none, none)
        assets, inputs, paths = (block[name].to_list() for name in _TEXTS)
        highest, taken, since = (block[name].to_numpy(writable=True) for name in _TIMES)
        value, day, detail = (
            np.array([block[f"{name}{rank}"].to_numpy() for rank in range(width)]) for name in _NUMBERS
        )
        return cls(assets, inputs, paths, Reached(highest, taken), since, value, day, detail)

    def save(self, store: BlockStore) -> None:
        """Write the shard."""
        texts = dict(zip(_TEXTS, (self.assets, self.inputs, self.paths), strict=True))
        times = dict(zip(_TIMES, (self.reached.highest, self.reached.taken, self.since), strict=True))
        numbers = {
            f"{name}{rank}": column
            for name, rows in zip(_NUMBERS, (self.value, self.day, self.detail), strict=True)
            for rank, column in enumerate(rows)
        }
        store.put(SERIES, pl.DataFrame({**texts, **times, **numbers}, schema_overrides={"input": pl.Int32}))

    def place(self, blocks: Sequence[pl.DataFrame]) -> list[Slots]:
        """Return the slot of each row of SERIES_BLOCKs, with new slots for what is new."""
        known = {key: slot for slot, key in enumerate(zip(self.assets, self.inputs, strict=True))}
        slots = []
        for block in blocks:
            keys = zip(block["asset"].to_list(), block["input"].to_list(), strict=True)
            slots.append(np.array([known.setdefault(key, len(known)) for key in keys], np.int32))
        self._grow(list(known)[len(self.assets) :])
        for block, own in zip(blocks, slots, strict=True):
            for slot, path in zip(own.tolist(), block["model_path"].to_list(), strict=True):
                self.paths[slot] = path
        return slots

    def _grow(self, new: Sequence[tuple[str, int]]) -> None:
        if not new:
            return
        self.assets += [asset for asset, _ in new]
        self.inputs += [number for _, number in new]
        self.paths += [""] * len(new)
        self.reached = self.reached.with_slots(len(self.assets))
        self.since = np.pad(self.since, (0, len(new)), constant_values=NEVER)
        more = ((0, 0), (0, len(new)))
        self.value = np.pad(self.value, more, constant_values=np.nan)
        self.day, self.detail = np.pad(self.day, more), np.pad(self.detail, more)


_RECORDS = pl.Schema({"slot": pl.Int32, "time": pl.Int64, "value": pl.Float64})


def load_waiting(store: BlockStore) -> Records:
    """Read the records that wait."""
    block = store.get(WAITING)
    if block is None:
        block = _RECORDS.to_frame()
    return Records(*(block[name].to_numpy() for name in _RECORDS))


def save_waiting(store: BlockStore, waiting: Records, before: int) -> None:
    """Write the records that wait; ``before`` is how many there were."""
    columns = {"slot": waiting.slot, "time": waiting.time, "value": waiting.value}
    if len(waiting.slot):
        store.put(WAITING, pl.DataFrame(columns, schema=_RECORDS))
    elif before:
        store.remove(WAITING)
