"""Where a paused job reads on: which places there are, and what is refused."""

import pytest

from streamjob_api.checkpoint_tools import OffsetRow, Position, Target
from streamjob_runtime.offset_reset import Brokers, Refused, destination, reset, rows
from streamjob_runtime.offsets import Place

A0, A1, B0 = Place("a", 0), Place("a", 1), Place("b", 0)
BROKERS = Brokers({A0: 2, A1: 0, B0: 0}, {A0: 9, A1: 4, B0: 7}, {A0: 5, A1: 4, B0: 0}, {"a": "ida", "b": "idb"})
ONE = Brokers({A0: 2, A1: 0}, {A0: 9, A1: 4}, {}, {"a": "ida"})
HELD = {"a": {"0": 6, "1": 3}, "b": {"0": 1}, "old": {"0": 8}, "now": 77, "read": 66, "edits": 2, "ticks": "all"}


def at(position: int, partition: int = 0, topic: str | None = None) -> Target:
    return Target(positions=[Position(topic=topic, partition=partition, position=position)])


def test_ends_and_times_are_of_every_partition_or_of_one_topics() -> None:
    assert destination(Target(end="earliest"), BROKERS) == BROKERS.earliest
    assert destination(Target(end="latest", topic="b"), BROKERS) == {B0: 7}
    assert destination(Target(), BROKERS) == BROKERS.at


def test_the_only_topic_need_not_be_named() -> None:
    assert destination(at(4), ONE) == {A0: 4}
    assert destination(at(4, topic="a"), BROKERS) == {A0: 4}
    with pytest.raises(Refused, match=r"0=4: the job reads a and b; say which \(--topic\)"):
        destination(at(4), BROKERS)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (at(1, topic="a"), "partition 0 of a holds the offsets 2 to 9, not 1"),
        (at(10, topic="a"), "partition 0 of a holds the offsets 2 to 9, not 10"),
        (at(1, partition=2, topic="a"), "topic a has no partition 2; its partitions are 0 to 1"),
        (at(1, topic="c"), "the job does not read topic c; it reads a and b"),
        (Target(end="latest", topic="c"), "the job does not read topic c; it reads a and b"),
    ],
)
def test_places_that_are_not_there_are_refused(target: Target, told: str) -> None:
    with pytest.raises(Refused, match=told):
        destination(target, BROKERS)


def test_a_reset_keeps_the_clock_the_edits_and_what_it_does_not_name() -> None:
    assert reset(HELD, {A0: 4}, BROKERS) == {
        "a": {"0": 4, "1": 3}, "b": {"0": 1}, "old": {"0": 8}, "now": 77, "read": 66, "edits": 2
    }  # fmt: skip


def test_a_topic_made_anew_is_reset_as_a_whole_and_loses_partitions_that_it_has_no_more() -> None:
    held = {"a": {"0": 60, "1": 30, "2": 5}, "topicIds": {"a": "other"}}
    with pytest.raises(Refused, match="topic a was deleted and created anew: reset all of its 2 partitions"):
        reset(held, {A0: 4}, ONE)
    assert reset(held, dict(ONE.latest), ONE) == {"a": {"0": 9, "1": 4}, "topicIds": {"a": "ida"}}


def test_rows_tell_what_brokers_and_checkpoint_know() -> None:
    assert rows({"a": {"0": 6}, "old": {"0": 8}}, None) == [
        OffsetRow(topic="a", partition=0, position=6),
        OffsetRow(topic="old", partition=0, position=8),
    ]
    assert rows({"a": {"0": 6, "1": 3}}, ONE, {A1: 0}) == [
        OffsetRow(topic="a", partition=0, position=6, earliest=2, latest=9, lag=3),
        OffsetRow(topic="a", partition=1, position=3, earliest=0, latest=4, lag=1, after=0),
    ]
