"""The state of one shard of time window aggregation: watermarks, open windows, and the index of both.

Bucket HEAD holds the watermark of each asset and input (``asset, input, mark, model_path``) and, in rows without an
asset, which windows are open (``start, size``). Bucket ``start`` holds the open windows that begin there, of all sizes:
the columns of a combined block, and ``on_time``, whether an on-time result has left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import polars as pl

from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_combiner import MARKS, window_schema
from streamjob_runtime.templates.window_plan import WindowPlan

# No window begins here: windows begin at whole seconds.
HEAD = -1
INDEX = pl.Schema({"start": pl.Int64, "size": pl.Int64})


def open_schema(plan: WindowPlan) -> pl.Schema:
    """Columns of the block of a bucket."""
    return pl.Schema([*window_schema(plan).items(), ("on_time", pl.Boolean())])


@dataclass(frozen=True)
class Head:
    """What is read in every micro-batch.

    Attributes:
        marks: MARKS, the watermarks.
        index: INDEX, one row for each start and size of which some asset has an open window.
    """

    marks: pl.DataFrame
    index: pl.DataFrame

    @classmethod
    def load(cls, store: BlockStore) -> Self:
        """Read the head of a shard; an empty one at first."""
        block = store.get(HEAD)
        if block is None:
            return cls(MARKS.to_frame(), INDEX.to_frame())
        is_mark = block["asset"].is_not_null()
        return cls(block.filter(is_mark).select(MARKS.names()), block.filter(~is_mark).select(INDEX.names()))

    def save(self, store: BlockStore) -> None:
        """Write the head of a shard."""
        store.put(HEAD, pl.concat([self.marks, self.index], how="diagonal"))


def load_windows(store: BlockStore, starts: Iterable[int], plan: WindowPlan) -> pl.DataFrame:
    """Read the open windows of some buckets."""
    blocks = [block for start in starts if (block := store.get(start)) is not None]
    return pl.concat([open_schema(plan).to_frame(), *blocks])


def save_windows(store: BlockStore, starts: Iterable[int], windows: pl.DataFrame) -> None:
    """Write the buckets ``starts``, whose open windows are now ``windows``; those without any are dropped."""
    by_start = windows.partition_by("start", as_dict=True)
    for start in starts:
        block = by_start.get((start,))
        if block is None:
            store.remove(start)
        else:
            store.put(start, block)
