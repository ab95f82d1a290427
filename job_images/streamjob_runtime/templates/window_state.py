"""The state of one shard of time window aggregation, or of a page of it: watermarks, what is open, and the index of it.

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

from collections.abc import Iterable, Sequence
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
# The place of what is not there.
NOWHERE = -1
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
        starts, sizes = np.concatenate([self.starts[kept], buckets]), np.concatenate([self.sizes[kept], sizes])
        all_starts, all_sizes = np.unique(starts), np.unique(sizes)
        # There are many rows, but few starts and sizes: a table of these needs no sorting of rows.
        has_any = np.zeros((len(all_starts), len(all_sizes)), np.bool_)
        has_any[np.searchsorted(all_starts, starts), np.searchsorted(all_sizes, sizes)] = True
        start, size = np.nonzero(has_any)
        self.starts, self.sizes = all_starts[start], all_sizes[size]


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

    assets: pl.Series
    inputs: NDArray[np.int32]
    paths: pl.Series
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
            series["asset"],
            series["input"].to_numpy(),
            series["model_path"],
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
            "asset": self.assets.clone().append(_repeated(None, index)),
            "input": _padded(self.inputs, after=index),
            "mark": _padded(self.marks, after=index),
            "model_path": self.paths.clone().append(_repeated("", index)),
            "start": _padded(np.concatenate([self.windows.keys, self.records.keys]), before=series),
            "size": _padded(np.concatenate([self.windows.sizes, self.records.sizes]), before=series),
        }
        store.put(HEAD, pl.DataFrame(columns, schema=_BLOCK).with_columns(self._noted()))

    def advance(self, brought: Sequence[pl.DataFrame], plan: WindowPlan) -> list[Slots]:
        """Raise watermarks to what a micro-batch brought (SERIES, in blocks), and return the slots of each block."""
        series = pl.concat(brought)
        slots = self._slots(series, plan)
        self._rename(slots, series["model_path"])
        np.maximum.at(self.marks, slots, series["mark"].to_numpy())
        return np.split(slots, np.cumsum([block.height for block in brought])[:-1])

    def keep(self, is_kept: Flags) -> None:
        """Drop all other slots."""
        self.assets, self.paths = self.assets.filter(is_kept), self.paths.filter(is_kept)
        for name in ("inputs", "marks", "replaces", "arrivals", "latest", "closed"):
            setattr(self, name, getattr(self, name)[is_kept])

    def forget_arrivals(self) -> None:
        """Nobody asks for them."""
        self.arrivals[:] = self.latest[:] = NEVER

    def _slots(self, series: pl.DataFrame, plan: WindowPlan) -> Slots:
        names = series_names(plan)
        known = pl.DataFrame({"asset": self.assets, "input": self.inputs})
        slots = places(series, known, names)
        is_new = slots == NOWHERE
        if is_new.any():
            sought = series.filter(is_new)
            new = sought.unique(names, maintain_order=True)
            slots[is_new] = places(sought, new, names) + np.int32(known.height)
            self.assets = pl.concat([self.assets, new["asset"]])
            self.paths = pl.concat([self.paths, _repeated("", new.height)])
            self.inputs = np.concatenate([self.inputs, new["input"].to_numpy()])
            self._grow(new.height, plan)
        return slots

    def _rename(self, slots: Slots, paths: pl.Series) -> None:
        """Take the path that came last."""
        has_moved = (self.paths[slots] != paths).to_numpy()
        if has_moved.any():
            moved = pl.DataFrame({"slot": slots[has_moved], "path": paths.filter(has_moved)})
            last = moved.unique("slot", keep="last")
            self.paths = self.paths.scatter(last["slot"], last["path"])

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


def _repeated(value: str | None, count: int) -> pl.Series:
    return pl.Series([value], dtype=pl.String).new_from_index(0, count)


def _padded(values: NDArray[Any], *, before: int = 0, after: int = 0) -> NDArray[Any]:
    return np.pad(values, [(before, after)] + [(0, 0)] * (values.ndim - 1))


def series_names(plan: WindowPlan) -> list[str]:
    """Return what an asset and input are known by; of a single input the asset alone, which is looked up faster."""
    return ["asset"] if len(plan.inputs) == 1 else ["asset", "input"]


def places(sought: pl.DataFrame, known: pl.DataFrame, names: Sequence[str]) -> Slots:
    """Return where each row is among those known, which are there once each; or NOWHERE."""
    known, sought = (
        pl.DataFrame({number: np.arange(rows.height)} | {name: rows[name] for name in names})
        for rows, number in ((known, "place"), (sought, "row"))
    )
    found = known.join(sought, on=names)
    place = np.full(sought.height, NOWHERE, np.int32)
    place[found["row"].to_numpy()] = found["place"].to_numpy()
    return place


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
