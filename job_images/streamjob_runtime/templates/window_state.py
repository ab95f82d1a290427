"""The state of one shard of time window aggregation: watermarks, what is open, and the index of it.

Bucket HEAD holds one row for each asset and input ever seen (``asset, input, mark, model_path``), whose position is its
*slot*, and, after these, rows that say which windows are open (``start, size``). Bucket ``start`` holds the open
windows that begin there, of all sizes, and names asset and input by their slot.

Where windows slide, the state holds their panes, for as long as one of a pane's windows is open. A bucket then holds
those of a stretch of time, as long for each group as its ``bucket_ms``, and the index has the start of the bucket.

Of inputs whose records replace each other the state holds the records, for as long as one of their windows is open: of
a stretch of time as long as ``records_bucket_ms``. Such buckets lie 1 ms beside the others, in the index too.

Some columns of HEAD are there only where they say something: ``replaces`` (an input's records are held), ``arrival``
and ``latest`` (with an idle timeout), ``closed`` (windows were closed for silence).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import NEVER, Flags, Slots, Times
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_rows import Rows

# No window begins here: windows begin at whole seconds.
HEAD = -1
# Buckets begin at whole seconds, too: between them there is room for those of records.
_RECORDS = 1
_SECOND_MS = 1000
SERIES = pl.Schema({"asset": pl.String, "input": pl.Int32, "mark": pl.Int64, "model_path": pl.String})
_BLOCK = pl.Schema([*SERIES.items(), ("start", pl.Int64()), ("size", pl.Int64())])


@dataclass
class Index:
    """Which buckets there are: one entry for each bucket and window size of which some asset has something open.

    Attributes:
        starts, sizes: the entries.
        offset: where a bucket's key lies beside its start.
    """

    starts: Times = field(default_factory=lambda: np.empty(0, np.int64))
    sizes: Times = field(default_factory=lambda: np.empty(0, np.int64))
    offset: int = 0

    @classmethod
    def parted(cls, keys: Times, sizes: Times) -> tuple[Self, Self]:
        """Part entries into those of windows or panes and those of records."""
        is_records = keys % _SECOND_MS == _RECORDS
        plain = cls(keys[~is_records], sizes[~is_records])
        return plain, cls(keys[is_records] - _RECORDS, sizes[is_records], _RECORDS)

    @property
    def keys(self) -> Times:
        """The key of each entry's bucket."""
        return self.starts + self.offset

    def update(self, touched: Times, buckets: Times, sizes: Times) -> None:
        """In the buckets ``touched`` there are now rows of these buckets and sizes only."""
        kept = ~np.isin(self.starts, touched)
        starts = np.concatenate([self.starts[kept], buckets])
        self.starts, self.sizes = np.unique(np.stack([starts, np.concatenate([self.sizes[kept], sizes])]), axis=1)


@dataclass
class Head:
    """What is read in every micro-batch.

    Attributes:
        assets, inputs, paths, marks: by slot; ``marks`` are the watermarks.
        replaces: by slot: whether the state holds records.
        arrivals: by slot: when a micro-batch last brought a record, by its clock; NEVER where it was not noted.
        latest: by slot: the highest end of a window that a record belonged to since; NEVER where none is open.
        closed: by slot and group: the highest end of a window that was closed for silence.
        windows, records: the two indexes.
    """

    assets: list[str]
    inputs: list[int]
    paths: list[str]
    marks: Times
    replaces: Flags
    arrivals: Times
    latest: Times
    closed: NDArray[np.int64]
    windows: Index
    records: Index

    @classmethod
    def load(cls, store: BlockStore, groups: int) -> Self:
        """Read the head of a shard; an empty one at first."""
        block = store.get(HEAD)
        if block is None:
            block = _BLOCK.to_frame()
        count = block.height - block["asset"].null_count()
        series, index = block.head(count), block.tail(block.height - count)
        windows, records = Index.parted(index["start"].to_numpy(), index["size"].to_numpy())
        noted = {name: series[name].to_numpy(writable=True) for name in series.columns if name not in _BLOCK}
        return cls(
            series["asset"].to_list(),
            series["input"].to_list(),
            series["model_path"].to_list(),
            series["mark"].to_numpy(writable=True),
            noted.get("replaces", np.zeros(count, np.bool_)),
            noted.get("arrival", np.full(count, NEVER)),
            noted.get("latest", np.full(count, NEVER)),
            noted.get("closed", np.full((count, groups), NEVER)),
            windows,
            records,
        )

    def save(self, store: BlockStore) -> None:
        """Write the head of a shard."""
        series, index = len(self.assets), len(self.windows.starts) + len(self.records.starts)
        columns: dict[str, Any] = {
            "asset": self.assets + [None] * index,
            "input": self.inputs + [0] * index,
            "mark": _padded(self.marks, after=index),
            "model_path": self.paths + [""] * index,
            "start": _padded(np.concatenate([self.windows.keys, self.records.keys]), before=series),
            "size": _padded(np.concatenate([self.windows.sizes, self.records.sizes]), before=series),
        }
        store.put(HEAD, pl.DataFrame(columns, schema=_BLOCK).with_columns(self._noted()))

    def advance(self, series: pl.DataFrame, plan: WindowPlan) -> Slots:
        """Raise watermarks to what a micro-batch brought (SERIES), and return the slot of each of its rows."""
        slots = self._slots(series, plan)
        for slot, path in zip(slots.tolist(), series["model_path"].to_list(), strict=True):
            self.paths[slot] = path
        np.maximum.at(self.marks, slots, series["mark"].to_numpy())
        return slots

    def keep(self, is_kept: Flags) -> None:
        """Drop all other slots."""
        slots = np.flatnonzero(is_kept).tolist()
        self.assets, self.paths = [self.assets[slot] for slot in slots], [self.paths[slot] for slot in slots]
        self.inputs = [self.inputs[slot] for slot in slots]
        for name in ("marks", "replaces", "arrivals", "latest", "closed"):
            setattr(self, name, getattr(self, name)[is_kept])

    def forget_arrivals(self) -> None:
        """Nobody asks for them."""
        self.arrivals[:] = self.latest[:] = NEVER

    def _slots(self, series: pl.DataFrame, plan: WindowPlan) -> Slots:
        known = {key: slot for slot, key in enumerate(zip(self.assets, self.inputs, strict=True))}
        keys = list(zip(series["asset"].to_list(), series["input"].to_list(), strict=True))
        slots = [known.setdefault(key, len(known)) for key in keys]
        for asset, number in list(known)[len(self.assets) :]:
            self.assets.append(asset)
            self.inputs.append(number)
            self.paths.append("")
        self._grow(len(known) - len(self.marks), plan)
        return np.asarray(slots, np.int32)

    def _grow(self, count: int, plan: WindowPlan) -> None:
        """Make room for slots that were not there; inputs are known."""
        first = len(self.marks)
        never = np.full(count, NEVER)
        self.marks = np.concatenate([self.marks, never])
        self.replaces = np.concatenate([self.replaces, plan.replaces_input[self.inputs[first:]]])
        self.arrivals = np.concatenate([self.arrivals, never])
        self.latest = np.concatenate([self.latest, never])
        self.closed = np.concatenate([self.closed, np.full((count, self.closed.shape[1]), NEVER)])

    def _noted(self) -> list[pl.Series]:
        """The columns that say something, one row a slot."""
        rows = len(self.windows.starts) + len(self.records.starts)
        columns = {"replaces": self.replaces, "arrival": self.arrivals, "latest": self.latest, "closed": self.closed}
        return [
            pl.Series(name, _padded(values, after=rows))
            for name, values in columns.items()
            if np.any(values if name == "replaces" else values != NEVER)
        ]


def _padded(values: NDArray[Any], *, before: int = 0, after: int = 0) -> NDArray[Any]:
    return np.pad(values, [(before, after)] + [(0, 0)] * (values.ndim - 1))


def load_rows(store: BlockStore, index: Index, buckets: Iterable[int], *, has_sums: bool) -> list[Rows]:
    """Read what lies in some buckets."""
    blocks = (store.get(bucket + index.offset) for bucket in buckets)
    return [Rows.of(block, has_sums=has_sums, is_new=False) for block in blocks if block is not None]


def save_rows(store: BlockStore, index: Index, buckets: Iterable[int], rows: Rows, places: Times) -> None:
    """Write the buckets that now hold ``rows``; those without any are dropped.

    ``places``: the bucket of each of the rows, ascending.
    """
    frame = rows.to_frame()
    for bucket in buckets:
        begin, end = np.searchsorted(places, [bucket, bucket + 1]).tolist()
        if begin == end:
            store.remove(bucket + index.offset)
        else:
            store.put(bucket + index.offset, frame.slice(begin, end - begin))
