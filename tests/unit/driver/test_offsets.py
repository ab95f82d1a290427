"""What the next micro-batch reads."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamjob_runtime.consumers import OffsetRange
from streamjob_runtime.offsets import credit, next_offset, positions, ranges, stream_offset

TOPIC = "points"
NOW = 1_767_225_600_000


def test_nothing_new_gives_the_very_same_offset() -> None:
    start = stream_offset(TOPIC, {0: 5, 1: 7}, NOW - 1000)
    assert next_offset(start, TOPIC, {0: 5, 1: 7}, {}, 100, NOW) == start


def test_the_clock_moves_with_data_and_never_back() -> None:
    start = stream_offset(TOPIC, {0: 5}, NOW)
    assert next_offset(start, TOPIC, {0: 6}, {}, 100, NOW + 3)["now"] == NOW + 3
    assert next_offset(start, TOPIC, {0: 6}, {}, 100, NOW - 3)["now"] == NOW


def test_a_new_partition_joins_at_its_beginning_and_is_read_by_the_micro_batch_after() -> None:
    start = stream_offset(TOPIC, {0: 5}, NOW)
    joined = next_offset(start, TOPIC, {0: 5, 1: 50}, {1: 20}, 100, NOW + 1)
    assert positions(joined, TOPIC) == {0: 5, 1: 20}
    assert ranges(start, joined, TOPIC) == []
    after = next_offset(joined, TOPIC, {0: 5, 1: 50}, {}, 100, NOW + 2)
    assert ranges(joined, after, TOPIC) == [OffsetRange(TOPIC, 1, 20, 50)]


def test_without_credit_nothing_is_read() -> None:
    start = stream_offset(TOPIC, {0: 5}, NOW)
    assert next_offset(start, TOPIC, {0: 6}, {}, 0, NOW + 1) == start


@given(
    begin=st.dictionaries(st.integers(0, 5), st.integers(0, 100), min_size=1),
    more=st.lists(st.integers(0, 1000), min_size=6, max_size=6),
    limit=st.integers(1, 3000),
)
def test_the_limit_is_used_up_and_never_passed(begin: dict[int, int], more: list[int], limit: int) -> None:
    latest = {partition: at + more[partition] for partition, at in begin.items()}
    start = stream_offset(TOPIC, begin, NOW)
    end = next_offset(start, TOPIC, latest, {}, limit, NOW)
    read = sum(wanted.end - wanted.start for wanted in ranges(start, end, TOPIC))
    assert read == min(limit, sum(more[partition] for partition in begin))
    assert all(begin[p] <= at <= latest[p] for p, at in positions(end, TOPIC).items())


def test_ranges_meet_without_gap_or_overlap() -> None:
    offsets = [stream_offset(TOPIC, {0: 0, 1: 0})]
    for step in range(20):
        offsets.append(next_offset(offsets[-1], TOPIC, {0: 70, 1: 31}, {}, 7, NOW + step))
    read = [wanted for start, end in pairwise(offsets) for wanted in ranges(start, end, TOPIC)]
    for partition, end in ((0, 70), (1, 31)):
        own = [wanted for wanted in read if wanted.partition == partition]
        assert [wanted.start for wanted in own] == [0, *(wanted.end for wanted in own[:-1])]
        assert own[-1].end == end


def test_a_rate_limit_gives_credit_for_the_time_since_the_last_micro_batch() -> None:
    start = stream_offset(TOPIC, {0: 0}, NOW)
    assert credit(1000, start, NOW + 2500, most=10**6) == 2500
    assert credit(1000, start, NOW + 3_600_000, most=10**6) == 60_000  # a minute at most, or limits would mean little
    assert credit(1000, start, NOW + 2500, most=100) == 100
    assert credit(1000, stream_offset(TOPIC, {0: 0}), NOW, most=10**6) == 1000
    assert credit(None, start, NOW, most=100) == 100
