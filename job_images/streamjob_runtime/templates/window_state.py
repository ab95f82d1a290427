"""The state of one shard of time window aggregation: watermarks, open windows, and the index of both.

Bucket HEAD holds one row for each asset and input ever seen (``asset, input, mark, model_path``), whose position is its
*slot*, and, after these, rows that say which windows are open (``start, size``). Bucket ``start`` holds the open
windows that begin there, of all sizes, and names asset and input by their slot.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_rows import Rows

# No window begins here: windows begin at whole seconds.
HEAD = -1
# The watermark of an asset and input of which no record was seen.
NEVER = -(2**62)
SERIES = pl.Schema({"asset": pl.String, "input": pl.Int32, "mark": pl.Int64, "model_path": pl.String})
_BLOCK = pl.Schema([*SERIES.items(), ("start", pl.Int64()), ("size", pl.Int64())])


@dataclass
class Head:
    """What is read in every micro-batch.

    Attributes:
        assets, inputs, paths, marks: by slot; ``marks`` are the watermarks.
        starts, sizes: the index, one entry for each start and size of which some asset has an open window.
    """

    assets: list[str]
    inputs: list[int]
    paths: list[str]
    marks: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def load(cls, store: BlockStore) -> Self:
        """Read the head of a shard; an empty one at first."""
        block = store.get(HEAD)
        if block is None:
            block = _BLOCK.to_frame()
        count = block.height - block["asset"].null_count()
        series, index = block.head(count), block.tail(block.height - count)
        return cls(
            series["asset"].to_list(),
            series["input"].to_list(),
            series["model_path"].to_list(),
            series["mark"].to_numpy(writable=True),
            index["start"].to_numpy(),
            index["size"].to_numpy(),
        )

    def save(self, store: BlockStore) -> None:
        """Write the head of a shard."""
        series, index = len(self.assets), len(self.starts)
        columns: dict[str, Any] = {
            "asset": self.assets + [None] * index,
            "input": self.inputs + [0] * index,
            "mark": _padded(self.marks, after=index),
            "model_path": self.paths + [""] * index,
            "start": _padded(self.starts, before=series),
            "size": _padded(self.sizes, before=series),
        }
        store.put(HEAD, pl.DataFrame(columns, schema=_BLOCK))

    def advance(self, series: pl.DataFrame) -> NDArray[np.int32]:
        """Raise watermarks to what a micro-batch brought (SERIES), and return the slot of each of its rows."""
        slots = self._slots(series)
        for slot, path in zip(slots.tolist(), series["model_path"].to_list(), strict=True):
            self.paths[slot] = path
        np.maximum.at(self.marks, slots, series["mark"].to_numpy())
        return slots

    def _slots(self, series: pl.DataFrame) -> NDArray[np.int32]:
        known = {key: slot for slot, key in enumerate(zip(self.assets, self.inputs, strict=True))}
        keys = list(zip(series["asset"].to_list(), series["input"].to_list(), strict=True))
        slots = [known.setdefault(key, len(known)) for key in keys]
        for asset, number in list(known)[len(self.assets) :]:
            self.assets.append(asset)
            self.inputs.append(number)
            self.paths.append("")
        self.marks = np.concatenate([self.marks, np.full(len(known) - len(self.marks), NEVER)])
        return np.asarray(slots, np.int32)


def _padded(values: NDArray[np.int64], *, before: int = 0, after: int = 0) -> NDArray[np.int64]:
    return np.pad(values, (before, after))


def load_windows(store: BlockStore, starts: Iterable[int], *, has_sums: bool) -> list[Rows]:
    """Read the open windows of some buckets."""
    blocks = (store.get(start) for start in starts)
    return [Rows.of(block, has_sums=has_sums, is_new=False) for block in blocks if block is not None]


def save_windows(store: BlockStore, starts: Iterable[int], windows: Rows) -> None:
    """Write the buckets ``starts``, whose open windows are now ``windows``; those without any are dropped."""
    frame = windows.to_frame()
    for start in starts:
        begin, end = np.searchsorted(windows.start, [start, start + 1]).tolist()
        if begin == end:
            store.remove(start)
        else:
            store.put(start, frame.slice(begin, end - begin))
