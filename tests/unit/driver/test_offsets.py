"""What the next micro-batch reads, and which shards tick in it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_runtime.offsets import (
    ALL,
    Holdings,
    OffsetRange,
    Offsets,
    Place,
    StreamOffset,
    credit,
    next_offset,
    packed,
    positions,
    ranges,
    stream_offset,
    topic_ids,
)

TOPIC, RESULTS = "points", "results"
NOW = 1_767_225_600_000


def places(by_partition: dict[int, int], topic: str = TOPIC) -> Offsets:
    return {Place(topic, partition): at for partition, at in by_partition.items()}


def offset(by_partition: dict[int, int], now_ms: int = NOW) -> StreamOffset:
    return stream_offset(places(by_partition)) | {"now": now_ms}


def holdings(latest: dict[int, int], new: dict[int, int] | None = None) -> Holdings:
    return Holdings(places(latest), places(new or {}))


def test_nothing_new_gives_the_very_same_offset() -> None:
    start = offset({0: 5, 1: 7}, NOW - 1000) | {"ticks": [3]}
    assert next_offset(start, holdings({0: 5, 1: 7}), 100, NOW) == start


def test_the_clock_moves_with_data_and_never_back() -> None:
    start = offset({0: 5})
    assert next_offset(start, holdings({0: 6}), 100, NOW + 3)["now"] == NOW + 3
    assert next_offset(start, holdings({0: 6}), 100, NOW - 3)["now"] == NOW


def test_a_new_partition_joins_at_its_beginning_and_is_read_by_the_micro_batch_after() -> None:
    start = offset({0: 5})
    joined = next_offset(start, holdings({0: 5, 1: 50}, {1: 20}), 100, NOW + 1)
    assert positions(joined) == places({0: 5, 1: 20})
    assert ranges(start, joined) == []
    after = next_offset(joined, holdings({0: 5, 1: 50}), 100, NOW + 2)
    assert ranges(joined, after) == [OffsetRange(TOPIC, 1, 20, 50)]


def test_without_credit_nothing_is_read() -> None:
    start = offset({0: 5})
    assert next_offset(start, holdings({0: 6}), 0, NOW + 1) == start


def test_topics_share_the_limit() -> None:
    start = stream_offset(places({0: 0}) | places({0: 0}, RESULTS))
    latest = places({0: 300}) | places({0: 100}, RESULTS)
    end = next_offset(start, Holdings(latest), 40, NOW)
    assert positions(end) == places({0: 30}) | places({0: 10}, RESULTS)
    assert ranges(start, end) == [OffsetRange(TOPIC, 0, 0, 30), OffsetRange(RESULTS, 0, 0, 10)]


def test_a_topic_that_comes_back_is_read_on_from_where_it_was_left() -> None:
    both = stream_offset(places({0: 3}) | places({0: 9, 1: 7}, RESULTS), {TOPIC: "id", RESULTS: "other"})
    alone = next_offset(both, Holdings(places({0: 5}), topic_ids={TOPIC: "id"}), 100, NOW)
    assert ranges(both, alone) == [OffsetRange(TOPIC, 0, 3, 5)]
    assert topic_ids(alone) == {TOPIC: "id", RESULTS: "other"}
    again = next_offset(alone, Holdings(places({0: 5}) | places({0: 12, 1: 7}, RESULTS)), 100, NOW + 1)
    assert ranges(alone, again) == [OffsetRange(RESULTS, 0, 9, 12)]


def test_what_lies_in_a_topic_that_is_not_read_takes_nothing_of_the_limit() -> None:
    start = stream_offset(places({0: 0}) | places({0: 9}, "former"))
    assert positions(next_offset(start, holdings({0: 40}), 40, NOW)) == places({0: 40}) | places({0: 9}, "former")


def test_shards_tick_in_a_micro_batch_of_their_own_or_along_with_data() -> None:
    start = offset({0: 5})
    alone = next_offset(start, holdings({0: 5}), 100, NOW + 1, [3, 9])
    assert alone == start | {"now": NOW + 1, "ticks": [3, 9], "read": NOW}
    assert ranges(start, alone) == []
    along = next_offset(alone, holdings({0: 6}), 100, NOW + 2, ALL)
    assert along == offset({0: 6}, NOW + 2) | {"ticks": ALL}
    after = next_offset(along, holdings({0: 7}), 100, NOW + 3)
    assert after == offset({0: 7}, NOW + 3)


def test_ticks_take_nothing_of_the_credit() -> None:
    before = offset({0: 0})
    for step in range(1, 10):
        before = next_offset(before, holdings({0: 0}), 100, NOW + step * 1000, [1])
    assert credit(5, before, NOW + 10_000, most=10**6) == 50


def test_without_credit_shards_tick_all_the_same() -> None:
    start = offset({0: 5})
    end = next_offset(start, holdings({0: 6}), 0, NOW + 1, [1])
    assert (ranges(start, end), end["ticks"]) == ([], [1])


def test_what_the_brokers_call_a_topic_is_kept() -> None:
    end = next_offset(offset({0: 5}), Holdings(places({0: 6}), topic_ids={TOPIC: "id"}), 100, NOW)
    assert (topic_ids(end), topic_ids(offset({0: 5}))) == ({TOPIC: "id"}, {})
    assert positions(end) == places({0: 6})


@given(
    begin=st.dictionaries(st.integers(0, 5), st.integers(0, 100), min_size=1),
    more=st.lists(st.integers(0, 1000), min_size=6, max_size=6),
    limit=st.integers(1, 3000),
)
def test_the_limit_is_used_up_and_never_passed(begin: dict[int, int], more: list[int], limit: int) -> None:
    latest = {partition: at + more[partition] for partition, at in begin.items()}
    start = offset(begin)
    end = next_offset(start, holdings(latest), limit, NOW)
    read = sum(wanted.end - wanted.start for wanted in ranges(start, end))
    assert read == min(limit, sum(more[partition] for partition in begin))
    assert all(begin[p.partition] <= at <= latest[p.partition] for p, at in positions(end).items())


@pytest.mark.parametrize(
    ("counts", "tasks"),
    [
        ([], []),
        ([1], [[0]]),
        ([5, 5, 5, 5], [[0, 1, 2, 3]]),
        ([5, 20_000, 5, 5], [[0, 1], [2, 3]]),
        ([20_000, 20_000, 1], [[0], [1], [2]]),
        ([19_999, 1, 800_000], [[0, 1], [2]]),
    ],
)
def test_partitions_with_few_messages_share_a_task(counts: list[int], tasks: list[list[int]]) -> None:
    wanted = [OffsetRange(TOPIC, number, 0, count) for number, count in enumerate(counts)]
    assert [[each.partition for each in task] for task in packed(wanted)] == tasks


def test_ranges_meet_without_gap_or_overlap() -> None:
    offsets = [stream_offset(places({0: 0, 1: 0}))]
    for step in range(20):
        offsets.append(next_offset(offsets[-1], holdings({0: 70, 1: 31}), 7, NOW + step))
    read = [wanted for start, end in pairwise(offsets) for wanted in ranges(start, end)]
    for partition, end in ((0, 70), (1, 31)):
        own = [wanted for wanted in read if wanted.partition == partition]
        assert [wanted.start for wanted in own] == [0, *(wanted.end for wanted in own[:-1])]
        assert own[-1].end == end


def test_a_rate_limit_gives_credit_for_the_time_since_the_last_micro_batch() -> None:
    start = offset({0: 0})
    assert credit(1000, start, NOW + 2500, most=10**6) == 2500
    assert credit(1000, start, NOW + 3_600_000, most=10**6) == 60_000  # a minute at most, or limits would mean little
    assert credit(1000, start, NOW + 2500, most=100) == 100
    assert credit(1000, stream_offset(places({0: 0})), NOW, most=10**6) == 1000
    assert credit(None, start, NOW, most=100) == 100
