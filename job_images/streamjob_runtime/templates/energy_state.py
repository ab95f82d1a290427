"""The state of one shard of an energy template: a row for each asset and input, and the records that wait.

Bucket SERIES holds the rows, whose position is their *slot*: how far the series has come, and for each policy of its
input the reference's time and value and what the reference's day, and its detail, hold so far. Which day that is
follows from the reference's time, and which one is open from the last record taken. What only some jobs need is left
out where nobody needs it. Bucket WAITING holds, of jobs with a latency, the records that are not taken yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import NEVER, Flags, Floats, Slots, Times
from streamjob_runtime.templates.chains import Chains, Records
from streamjob_runtime.templates.intervals import Reference
from streamjob_runtime.templates.ordering import Reached
from streamjob_runtime.templates.protocols import BlockStore

SERIES, WAITING = 0, 1
_TEXTS = ("asset", "input", "model_path")
_TIMES = ("highest", "taken")
# One column for each rank of a policy; ``passed`` only where it is not 0 throughout.
_SINCE, _PASSED = "since", "passed"
_NUMBERS = ("value", "day", "detail")
# Only of jobs that close what is silent; ``given`` only where something was. Without it, what is CLOSED was given.
_ARRIVED, _GIVEN = "arrived", "given"
CLOSED = NEVER


@dataclass
class EnergyState:
    """What is known of each series, by slot.

    Attributes:
        reached: watermark and last record taken.
        was_watched: whether it is known when records arrived.
        arrived: when the last record came, by the clock; CLOSED where nothing was taken, and nothing waits, since what
            was open was closed.
        was_given: whether what is open was given when it was closed, and nothing was taken since.
        since, value, passed, day, detail: one row for each rank of a policy: the ``Reference``, and the sums of its day
            and its detail.
    """

    assets: list[str]
    inputs: list[int]
    paths: list[str]
    reached: Reached
    was_watched: bool
    arrived: Times
    was_given: Flags
    since: Times
    value: Floats
    passed: Times
    day: Floats
    detail: Floats

    @classmethod
    def load(cls, store: BlockStore, width: int, now_ms: int) -> Self:
        """Read a shard, of a job with up to ``width`` policies of an input; an empty one at first.

        Where nobody wrote down when records arrived, they arrived now.
        """
        block = store.get(SERIES)
        if block is None:
            times, ranks, none = np.empty(0, np.int64), np.empty((width, 0), np.int64), np.empty((width, 0))
            flags = np.empty(0, np.bool_)
            return cls([], [], [], Reached(times, times), True, times, flags, ranks, none, ranks, none, none)
        assets, inputs, paths = (block[name].to_list() for name in _TEXTS)
        highest, taken = (block[name].to_numpy(writable=True) for name in _TIMES)
        value, day, detail = (_by_rank(block, name, width) for name in _NUMBERS)
        since = _by_rank(block, _SINCE, width)
        passed = _by_rank(block, _PASSED, width) if f"{_PASSED}0" in block.columns else np.zeros_like(since)
        was_watched = _ARRIVED in block.columns
        arrived = block[_ARRIVED].to_numpy(writable=True) if was_watched else np.full(block.height, now_ms)
        reached = Reached(highest, taken)
        was_given = block[_GIVEN].to_numpy() if _GIVEN in block.columns else arrived == CLOSED
        return cls(assets, inputs, paths, reached, was_watched, arrived, was_given, since, value, passed, day, detail)

    def save(self, store: BlockStore, *, is_watched: bool) -> None:
        """Write the shard; ``is_watched`` says whether it counts when records arrived."""
        columns: dict[str, Any] = dict(zip(_TEXTS, (self.assets, self.inputs, self.paths), strict=True))
        columns |= dict(zip(_TIMES, (self.reached.highest, self.reached.taken), strict=True))
        if is_watched:
            columns[_ARRIVED] = self.arrived
        if self.was_given.any():
            columns[_GIVEN] = self.was_given
        ranked = {_SINCE: self.since, "value": self.value, "day": self.day, "detail": self.detail}
        if self.passed.any():
            ranked[_PASSED] = self.passed
        for name, rows in ranked.items():
            columns |= {f"{name}{rank}": column for rank, column in enumerate(rows)}
        store.put(SERIES, pl.DataFrame(columns, schema_overrides={"input": pl.Int32}))

    def reference(self, rank: int, last: Times) -> Reference:
        """Return the references of one policy of each input; they do not change with the state."""
        return Reference(self.since[rank].copy(), self.value[rank].copy(), last, self.passed[rank].copy())

    def move(self, rank: int, chains: Chains, reached: Reference) -> None:
        """Let the references of one policy be what the last records of each series left."""
        slots = chains.slot[chains.ends]
        self.since[rank, slots] = reached.time[chains.ends]
        self.value[rank, slots] = reached.value[chains.ends]
        self.passed[rank, slots] = reached.passed[chains.ends]

    def keep(self, is_kept: Flags) -> None:
        """Drop all other slots."""
        slots = np.flatnonzero(is_kept).tolist()
        self.assets, self.paths = [self.assets[slot] for slot in slots], [self.paths[slot] for slot in slots]
        self.inputs = [self.inputs[slot] for slot in slots]
        self.reached = Reached(self.reached.highest[is_kept], self.reached.taken[is_kept])
        self.arrived, self.was_given = self.arrived[is_kept], self.was_given[is_kept]
        for name in ("since", "value", "passed", "day", "detail"):
            setattr(self, name, getattr(self, name)[:, is_kept])

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

    def hear(self, slots: Sequence[Slots], now_ms: int) -> None:
        """Note that records came, where a silence would close something."""
        has_records = np.zeros(len(self.arrived), np.bool_)
        for own in slots:
            has_records[own] = True
        self.arrived = np.where(has_records & (self.arrived != CLOSED), now_ms, self.arrived)

    def reopen(self, taken: Slots, waiting: Slots, is_ended: Flags, now_ms: int) -> None:
        """Note which series have something again that a silence is to close, and of which it was closed just now."""
        has_more = np.zeros(len(self.arrived), np.bool_)
        has_more[taken] = True
        self.was_given = (self.was_given & ~has_more) | is_ended
        has_more[waiting] = True
        self.arrived = np.where(has_more & ~is_ended & (self.arrived == CLOSED), now_ms, self.arrived)

    def _grow(self, new: Sequence[tuple[str, int]]) -> None:
        if not new:
            return
        self.assets += [asset for asset, _ in new]
        self.inputs += [number for _, number in new]
        self.paths += [""] * len(new)
        self.reached = self.reached.with_slots(len(self.assets))
        count = (0, len(new))
        self.arrived = np.pad(self.arrived, count, constant_values=CLOSED)
        self.was_given = np.pad(self.was_given, count)
        more = ((0, 0), count)
        self.since = np.pad(self.since, more, constant_values=NEVER)
        self.value = np.pad(self.value, more, constant_values=np.nan)
        self.passed = np.pad(self.passed, more)
        self.day, self.detail = np.pad(self.day, more), np.pad(self.detail, more)


def _by_rank(block: pl.DataFrame, name: str, width: int) -> NDArray[Any]:
    return np.array([block[f"{name}{rank}"].to_numpy() for rank in range(width)])


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
