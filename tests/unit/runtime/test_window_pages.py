"""Pages of a shard: they change no result, and a micro-batch touches its own"""

import base64
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.exactness import exact
from oracles.windows import Record, expected, expected_by_clock, policies_of
from streamjob_api.points import PointRef
from streamjob_runtime.templates import window_pages
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.window_state import HEAD
from unit.runtime.test_window_cuts import CALCULATED, CUTS, INPUTS, RECORDS, STEPS, check, cut, jobs, parted
from unit.runtime.windows_bench import BASE, MINUTE, MemoryStore, Run, window_job

# A state that was written before there were pages, after the first two micro-batches below.
FORMER = Path(__file__).parent / "states" / "windows_without_pages.json"
FORMER_JOB = window_job(
    {"aggregation": "sum"}, {"aggregation": "max", "windowSize": "20m", "input": "M::B"}, latency="10m"
)
FORMER_SERIES = [("a", "M::A"), ("b", "M::A"), ("a", "M::B"), ("c", "M::A"), ("d", "M::B")]

PAGES = st.sampled_from([1, 1, 2, 3])


def feed(run: Run, *partitions: list[Record], page: int, now: int = 0) -> None:
    with patch.object(window_pages, "PAGE", page):
        run.feed(*partitions, now=now)


@exact
@given(job=jobs(), records=RECORDS, cuts=CUTS, calculated=CALCULATED, pages=st.lists(PAGES, min_size=9, max_size=9))
def test_pages_of_any_size_change_no_result(
    job: dict[str, Any], records: list[Record], cuts: list[int], calculated: Collection[str], pages: list[int]
) -> None:
    run = Run(job, calculated=calculated)
    for batch, page in zip(cut(records, cuts), pages, strict=False):
        feed(run, *parted(batch), page=page)
    check(run, expected(records, *policies_of(job), replaced=calculated))
    run.close()
    check(run, expected(records, *policies_of(job), replaced=calculated, is_ended=True))


@exact
@given(job=jobs(), records=RECORDS, steps=STEPS, page=PAGES)
def test_silent_assets_are_closed_on_every_page(
    job: dict[str, Any], records: list[Record], steps: list[tuple[int, int]], page: int
) -> None:
    run, now, batches = Run(job, idle_timeout="10m"), BASE, []
    for batch, (_, minutes) in zip(cut(records, [at for at, _ in steps]), [*steps, (0, 10)], strict=True):
        now += minutes * MINUTE
        batches.append((now, batch))
        feed(run, *parted(batch), page=page, now=now)
    check(run, expected_by_clock(batches, *policies_of(job), 600_000))


@settings(max_examples=100, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=CUTS, page=PAGES, asset=st.sampled_from("abcd"))
def test_what_is_forgotten_is_as_if_it_had_never_come(
    job: dict[str, Any], records: list[Record], cuts: list[int], page: int, asset: str
) -> None:
    run, without = Run(job), Run(job)
    for batch in cut(records, cuts):
        feed(run, *parted(batch), page=page)
        for store in run.stores.values():
            chosen = Chosen.of([asset], map(PointRef.parse, INPUTS))
            run.template.forget(store, chosen, 0)
            assert list(run.template.held(store, chosen)) == []
        without.feed(*parted([record for record in batch if record[0] != asset]))
        others = [each for each in run.emissions[-1] if each[1][0] != asset]
        assert sorted(map(repr, others)) == sorted(map(repr, without.emissions[-1]))


@pytest.mark.parametrize("page", [1, 2, window_pages.PAGE])
def test_a_state_from_before_there_were_pages_goes_on(page: int) -> None:
    first, second, third = (records(number) for number in (range(2), range(2, 4), range(4, 12)))
    whole, former = (Run(FORMER_JOB, idle_timeout="10m") for _ in range(2))
    whole.feed(first, now=BASE)
    whole.feed(second, now=BASE + MINUTE)
    former.stores = {int(shard): stored(blocks) for shard, blocks in json.loads(FORMER.read_text()).items()}
    more = [("e", "M::A", BASE + 30 * MINUTE, 1), ("f", "M::A", BASE + 30 * MINUTE, 2)]
    for run, size in ((whole, window_pages.PAGE), (former, page)):
        feed(run, [*third, *more], page=size, now=BASE + 2 * MINUTE)
        feed(run, records(range(12, 30)), page=size, now=BASE + 3 * MINUTE)
        run.close()
    assert any(former.emissions[:2])
    for ours, theirs in zip(former.emissions, whole.emissions[2:], strict=True):
        assert sorted(ours) == sorted(theirs)


def records(rounds: range) -> list[Record]:
    return [
        (asset, point, BASE + (number * 3 + place) * MINUTE, number + place)
        for number in rounds
        for place, (asset, point) in enumerate(FORMER_SERIES)
    ]


def stored(blocks: dict[str, str]) -> MemoryStore:
    store = MemoryStore()
    store.blocks = {int(bucket): base64.b64decode(block) for bucket, block in blocks.items()}
    return store


def test_a_micro_batch_touches_the_pages_of_its_own_assets() -> None:
    assets = [f"asset{number}" for number in range(40)]
    run = Run(window_job({}))
    feed(run, [(asset, "M::A", BASE, 1) for asset in assets], page=2)
    stores = list(run.stores.values())
    for store in stores:
        store.read.clear()
        store.written.clear()
    feed(run, [(assets[0], "M::A", BASE + 1, 2)], page=2)
    read = sorted(bucket for store in stores for bucket in store.read)
    written = sorted(bucket for store in stores for bucket in store.written)
    # The directory is read; of one page, the head and the window.
    assert len(read) == 3
    assert HEAD in read
    assert len(written) == 2
    assert HEAD not in written


def test_a_shard_of_few_assets_has_no_pages() -> None:
    run = Run(window_job({}))
    run.feed([(f"asset{number}", "M::A", BASE, 1) for number in range(40)])
    assert {bucket for store in run.stores.values() for bucket in store.blocks} == {HEAD, BASE}
