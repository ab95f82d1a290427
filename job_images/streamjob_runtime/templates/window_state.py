"""The state of one shard of time window aggregation: watermarks, open windows, and the index of both.

Bucket HEAD holds one row for each asset and input ever seen (``asset, input, mark, model_path``), whose position is its
*slot*, and, after these, rows that say which windows are open (``start, size``). Bucket ``start`` holds the open
windows that begin there, of all sizes, and names asset and input by their slot.

Where windows slide, the state holds their panes, for as long as one of a pane's windows is open. A bucket then holds
those of a stretch of time, as long for each group as its ``bucket_ms``, and the index has the start of the bucket.
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
        starts, sizes: the index, one entry for each bucket and window size of which some asset has an open window.
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


def load_windows(store: BlockStore, buckets: Iterable[int], *, has_sums: bool) -> list[Rows]:
    """Read the open windows of some buckets."""
    blocks = (store.get(bucket) for bucket in buckets)
    return [Rows.of(block, has_sums=has_sums, is_new=False) for block in blocks if block is not None]


def save_windows(store: BlockStore, buckets: Iterable[int], windows: Rows, places: NDArray[np.int64]) -> None:
    """Write the buckets whose open windows are now ``windows``; those without any are dropped.

    ``places``: the bucket of each of the windows, ascending.
    """
    frame = windows.to_frame()
    for bucket in buckets:
        begin, end = np.searchsorted(places, [bucket, bucket + 1]).tolist()
        if begin == end:
            store.remove(bucket)
        else:
            store.put(bucket, frame.slice(begin, end - begin))


def reindex(head: Head, touched: NDArray[np.int64], buckets: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
    """Bring the index up to date: in the buckets ``touched`` there are now windows of these buckets and sizes only."""
    kept = ~np.isin(head.starts, touched)
    starts = np.concatenate([head.starts[kept], buckets])
    head.starts, head.sizes = np.unique(np.stack([starts, np.concatenate([head.sizes[kept], sizes])]), axis=1)
