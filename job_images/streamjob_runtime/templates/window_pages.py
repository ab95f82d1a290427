"""Pages of a shard: stretches of its assets and inputs, each with a state of its own.

A micro-batch that brings little touches the pages of its assets and inputs alone, whatever else the shard holds. Those
that were first seen together share a page, since what reports together is what comes together.

Up to PAGE assets and inputs there is no page, and the state is as ``window_state`` has it. Beyond that, bucket HEAD is
the directory, with one row for each of them (``asset, input, page``). The buckets of a page lie ``page`` times _APART
beyond those of a state without pages, its head once more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import Slots
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_combiner import Windows
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_state import HEAD, NOWHERE, places, series_names

# Large enough for a page to cost little beside what is in it.
PAGE = 16_384
# Further than any time.
_APART = 1 << 50
_DIRECTORY = pl.Schema({"asset": pl.String, "input": pl.Int32, "page": pl.Int32})

# What a block says of assets and inputs, and its windows.
Brought = tuple[pl.DataFrame, Windows]


@dataclass(frozen=True)
class Page:
    """The state of one page, as a store of its own.

    Attributes:
        number: from 0; None: there are no pages, and this is all.
        head: what was read of HEAD already, where there are no pages.
    """

    store: BlockStore
    number: int | None
    head: pl.DataFrame | None = None

    def get(self, bucket: int) -> pl.DataFrame | None:
        """The block of a bucket."""
        return self.head if self.number is None and bucket == HEAD else self.store.get(self._key(bucket))

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Write the block of a bucket."""
        self.store.put(self._key(bucket), block)

    def remove(self, bucket: int) -> None:
        """Drop a bucket."""
        self.store.remove(self._key(bucket))

    def _key(self, bucket: int) -> int:
        return bucket if self.number is None else bucket + (self.number + (bucket == HEAD)) * _APART


@dataclass
class Pages:
    """All pages of a shard.

    Attributes:
        store: the state of the shard.
        head: what lies in HEAD: the directory; without pages a head, or nothing.
    """

    store: BlockStore
    head: pl.DataFrame | None

    @classmethod
    def load(cls, store: BlockStore) -> Self:
        """Read where everything is."""
        return cls(store, store.get(HEAD))

    def all(self) -> list[Page]:
        """Return all pages."""
        if not self._has_pages:
            return [self._whole]
        return [Page(self.store, number) for number in np.unique(self._directory["page"].to_numpy()).tolist()]

    def parted(self, brought: Sequence[Brought], plan: WindowPlan) -> list[tuple[Page, list[Brought]]]:
        """Part what a micro-batch brought, block by block, into that of each page; what is new gets its page."""
        if not self._has_pages and self._count + sum(own.height for own, _ in brought) <= PAGE:
            return [(self._whole, list(brought))]
        # Blocks are partitions of one stretch of time: what comes at the same place of each came at the same time.
        series = pl.concat([own.with_columns(at=_fractions(own.height)) for own, _ in brought])
        pages = self._pages(series, plan)
        if not self._has_pages:
            return [(self._whole, list(brought))]
        by_page: dict[int, list[Brought]] = {number: [] for number in np.unique(pages).tolist()}
        ends = np.cumsum([own.height for own, _ in brought])[:-1]
        for (own, windows), of_block in zip(brought, np.split(pages, ends), strict=True):
            for number, part in _parted(own, windows, of_block):
                by_page[number].append(part)
        return [(Page(self.store, number), parts) for number, parts in by_page.items()]

    @property
    def _whole(self) -> Page:
        return Page(self.store, None, self.head)

    def forget(self, chosen: Chosen, plan: WindowPlan) -> None:
        """Leave what the pages have forgotten out of the directory."""
        if self._has_pages:
            known = self._directory
            flags = chosen.flags(known["asset"].to_list(), known["input"].to_list(), plan.inputs)
            self._write(known.filter(~flags))

    @property
    def _has_pages(self) -> bool:
        return self.head is not None and "page" in self.head.columns

    @property
    def _count(self) -> int:
        """How many assets and inputs are known; the rows of a head that name none are its index."""
        return 0 if self.head is None else self.head.height - self.head["asset"].null_count()

    @property
    def _directory(self) -> pl.DataFrame:
        if self.head is None:
            return _DIRECTORY.to_frame()
        if self._has_pages:
            return self.head
        return self.head.head(self._count).select("asset", "input", page=pl.lit(0, pl.Int32))

    def _pages(self, series: pl.DataFrame, plan: WindowPlan) -> Slots:
        """Return the page of each row; what is new is added to the pages that have room."""
        names, known = series_names(plan), self._directory
        place = places(series, known, names)
        is_new = place == NOWHERE
        if is_new.any():
            new = series.filter(is_new).unique(names, keep="first", maintain_order=True)
            new = new.sort("at", maintain_order=True).select("asset", "input")
            if self._has_pages or self._count + new.height > PAGE:
                self._begin_pages()
                added = new.with_columns(page=pl.Series(_with_room(known["page"].to_numpy(), new.height)))
                known = pl.concat([known, added])
                self._write(known)
                place = places(series, known, names)
        return known["page"].to_numpy()[place]

    def _begin_pages(self) -> None:
        """What there was is the first page."""
        if self.head is not None and not self._has_pages:
            Page(self.store, 0).put(HEAD, self.head)

    def _write(self, directory: pl.DataFrame) -> None:
        self.head = directory
        self.store.put(HEAD, directory)


def _fractions(count: int) -> pl.Series:
    return pl.Series(np.arange(count) / max(count, 1))


def _with_room(pages: Slots, count: int) -> Slots:
    """Return pages for so many more: those that are not full, then new ones."""
    used = np.bincount(pages)
    room = np.concatenate([np.maximum(PAGE - used, 0), np.full(count // PAGE + 1, PAGE)])
    return np.repeat(np.arange(len(room), dtype=np.int32), room)[:count]


def _parted(series: pl.DataFrame, windows: Windows, pages: Slots) -> Iterator[tuple[int, Brought]]:
    """Yield page by page what a block brought, in its order."""
    of_windows = windows.placed(pages).slot
    by_page, order = np.argsort(pages, kind="stable"), np.argsort(of_windows, kind="stable")
    series, numbers, pages = series[by_page], windows.numbers[by_page], pages[by_page]
    rows, missed, of_windows = windows.rows.take(order), windows.missed[order], of_windows[order]
    for number in np.unique(pages).tolist():
        own, held = (slice(*np.searchsorted(all_pages, [number, number + 1])) for all_pages in (pages, of_windows))
        yield number, (series[own], Windows(numbers[own], rows.take(held), missed[held]))
