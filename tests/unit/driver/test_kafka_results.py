"""Columns handed to a producer row by row, without a broker; what a real one then has is in the Spark suite."""

from collections.abc import Iterator

import polars as pl
import pytest
from confluent_kafka import KafkaError

from streamjob_runtime import kafka_results, native
from streamjob_runtime.kafka_results import Outgoing, Rows, Stopped
from streamjob_runtime.kafka_settings import Settings
from streamjob_runtime.librdkafka_producer import Failure, Producer

AWAY: Settings = {
    "bootstrap.servers": "127.0.0.1:1", "log_level": 0, "delivery.report.only.error": True,
    "queue.buffering.max.messages": 5, "message.max.bytes": 1000,
}  # fmt: skip
PURGED = KafkaError._PURGE_QUEUE


@pytest.fixture
def producer() -> Iterator[Producer]:
    producer = Producer(AWAY)
    yield producer
    producer.purge()


def outgoing(*values: bytes) -> Outgoing:
    column = pl.Series(values, dtype=pl.Binary)
    return Outgoing(column, column, pl.Series([1000] * len(values), dtype=pl.Int64), [("h", b"1")])


def test_rows_are_taken_up_to_the_one_that_there_is_no_room_for(producer: Producer) -> None:
    rows = Rows("t", outgoing(*[b"x"] * 8))
    assert rows.send(producer, 0, first=100) == Stopped(5, KafkaError._QUEUE_FULL)
    assert rows.send(producer, 5, first=100) == Stopped(5, KafkaError._QUEUE_FULL)
    producer.purge()
    assert producer.flush(5)
    assert producer.take_failures() == [Failure(number, PURGED) for number in range(100, 105)]
    assert producer.take_failures() == []
    assert rows.send(producer, 5, first=100) == Stopped(8, 0)
    assert len(producer) == 3


def test_a_row_that_is_too_large_is_named_and_the_next_ones_go_on(producer: Producer) -> None:
    rows = Rows("t", outgoing(b"a", b"b", b"x" * 2000, b"c"))
    assert rows.send(producer, 0, first=0) == Stopped(2, KafkaError.MSG_SIZE_TOO_LARGE)
    assert rows.send(producer, 3, first=0) == Stopped(4, 0)
    producer.purge()
    assert producer.flush(5)
    assert sorted(producer.take_failures()) == [Failure(number, PURGED) for number in (0, 1, 3)]


def test_a_message_that_waits_rests_on_nothing_that_was_given(producer: Producer) -> None:
    for number in range(5):
        assert Rows(f"t{number}", outgoing(b"%d" % number)).send(producer, 0, number) == Stopped(1, 0)
    assert not producer.flush(0.05)
    assert len(producer) >= 5  # news of the broker's absence count, too


def test_the_time_of_sending_is_put_into_a_copy() -> None:
    given = outgoing(b"a", b"b", b"c")
    assert given.sent_now([0, 2]).times_ms.to_list() == [0, 1000, 0]
    assert given.times_ms.to_list() == [1000] * 3
    assert given.slice(1, 5).sent_now([1]).times_ms.to_list() == [1000, 0]


def test_without_the_library_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    kafka_results._native.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"libstreamjob\.so is missing"):
            Rows("t", outgoing(b"a"))
    finally:
        kafka_results._native.cache_clear()
