"""The state of one shard of merging: the last value of each asset and input, and the records that wait.

Bucket SERIES holds one row for each asset and input, whose position is its *slot*. An asset that sent anything of a
model has rows for all inputs of that model, one after the other: from the slot of one input to that of another it is as
far as from the one input to the other. Bucket WAITING holds, of jobs with a latency, the records that are not taken
yet. Bucket CLOCK holds, of jobs that the clock triggers, the last tick that is done. Both of the first two have a
column ``text`` where any of their values is none of a number (``merging_texts``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import Flags, Floats, Slots
from streamjob_runtime.templates.merging_records import Records
from streamjob_runtime.templates.merging_texts import Kinds, Texts, ValueKind
from streamjob_runtime.templates.ordering import Reached
from streamjob_runtime.templates.protocols import BlockStore

SERIES, WAITING, CLOCK = 0, 1, 2
_SERIES = pl.Schema(
    {
        "asset": pl.String,
        "input": pl.Int32,
        "model_path": pl.String,
        "highest": pl.Int64,
        "taken": pl.Int64,
        "value": pl.Float64,
        "is_int": pl.Boolean,
    }
)


@dataclass
class MergingState:
    """What is known of each asset and input, by slot.

    Attributes:
        reached: watermark, and time of the last value; NEVER where there is none.
        value, kind: the last value; an integer where there is none.
        texts: what texts among the values are.
    """

    assets: list[str]
    inputs: list[int]
    paths: list[str]
    reached: Reached
    value: Floats
    kind: Kinds
    texts: Texts

    @classmethod
    def load(cls, store: BlockStore) -> Self:
        """Read a shard; an empty one at first."""
        block = store.get(SERIES)
        if block is None:
            block = _SERIES.to_frame()
        texts = Texts()
        value, kind = texts.values(block)
        return cls(
            block["asset"].to_list(),
            block["input"].to_list(),
            block["model_path"].to_list(),
            Reached(block["highest"].to_numpy(), block["taken"].to_numpy()),
            value.copy(),
            kind,
            texts,
        )

    def save(self, store: BlockStore) -> None:
        """Write the shard."""
        columns = {
            "asset": self.assets,
            "input": self.inputs,
            "model_path": self.paths,
            "highest": self.reached.highest,
            "taken": self.reached.taken,
            **self.texts.columns(self.value, self.kind),
        }
        store.put(SERIES, _frame(columns, _SERIES))

    def of_inputs(self, flags: Sequence[bool]) -> Flags:
        """Return by slot what is given by input."""
        return np.array(flags, np.bool_)[np.array(self.inputs, np.int32)]

    def place(self, blocks: Sequence[pl.DataFrame], first: Sequence[int]) -> list[Slots]:
        """Return the slot of each row of SERIES_BLOCKs, with new slots for what is new.

        Args:
            blocks: of this micro-batch.
            first: for each input the first one of its model.
        """
        known = {
            (asset, number): slot
            for slot, (asset, number) in enumerate(zip(self.assets, self.inputs, strict=True))
            if first[number] == number
        }
        slots = [self._slots(block, first, known) for block in blocks]
        self._fill()
        for block, own in zip(blocks, slots, strict=True):
            for slot, path in zip(own.tolist(), block["model_path"].to_list(), strict=True):
                self.paths[slot] = path
        return slots

    def _slots(self, block: pl.DataFrame, first: Sequence[int], known: dict[tuple[str, int], int]) -> Slots:
        """Return the slots of one block; ``known`` has those of each asset's first input of a model."""
        slots = np.empty(block.height, np.int32)
        for row, (asset, number) in enumerate(zip(block["asset"].to_list(), block["input"].to_list(), strict=True)):
            key = (asset, first[number])
            if key not in known:
                known[key] = len(self.assets)
                own = [other for other, begin in enumerate(first) if begin == first[number]]
                self.assets += [asset] * len(own)
                self.inputs += own
            slots[row] = known[key] + number - first[number]
        return slots

    def _fill(self) -> None:
        """Give new slots what a series without records has."""
        count, new = len(self.assets), len(self.assets) - len(self.paths)
        self.paths += [""] * new
        self.reached = self.reached.with_slots(count)
        self.value = np.pad(self.value, (0, new), constant_values=np.nan)
        self.kind = np.pad(self.kind, (0, new), constant_values=ValueKind.INT)


_WAITING = pl.Schema({"slot": pl.Int32, "time": pl.Int64, "value": pl.Float64, "is_int": pl.Boolean})


def load_waiting(store: BlockStore, texts: Texts) -> Records:
    """Read the records that wait."""
    block = store.get(WAITING)
    if block is None:
        block = _WAITING.to_frame()
    return Records.of_earlier(block["slot"].to_numpy(), block["time"].to_numpy(), *texts.values(block))


def save_waiting(store: BlockStore, waiting: Records, before: int, texts: Texts) -> None:
    """Write the records that wait; ``before`` is how many there were."""
    if len(waiting.slot):
        columns = {"slot": waiting.slot, "time": waiting.time, **texts.columns(waiting.value, waiting.kind)}
        store.put(WAITING, _frame(columns, _WAITING))
    elif before:
        store.remove(WAITING)


def load_ticked(store: BlockStore) -> int | None:
    """Read the time of the last tick, epoch ms; None where there was none."""
    block = store.get(CLOCK)
    return None if block is None else int(block["ticked"].item())


def save_ticked(store: BlockStore, ticked_ms: int) -> None:
    """Write the time of the last tick."""
    store.put(CLOCK, pl.DataFrame({"ticked": [ticked_ms]}))


def _frame(columns: Mapping[str, object], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=schema | ({"text": pl.String} if "text" in columns else {}))
