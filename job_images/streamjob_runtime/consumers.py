"""Reading exact ranges of Kafka's partitions, one after the other, by a consumer that outlives micro-batches."""

from collections.abc import Generator
from functools import cache
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException

from streamjob_api.connections import Kafka
from streamjob_api.job_file import KAFKA_AUTH_DIR
from streamjob_runtime.faults import TO_GO_ON, OffsetsLost
from streamjob_runtime.kafka_messages import Event, Messages, poll
from streamjob_runtime.kafka_settings import Settings, client_settings
from streamjob_runtime.librdkafka import AssignedConsumer
from streamjob_runtime.offsets import OffsetRange

# Each chunk costs some ten milliseconds, however small it is; bytes limit those of usual messages first.
_MESSAGES_AT_ONCE = 50_000
_FIRST_MESSAGES = 200
# Long enough for a fetch; a shorter range than was asked for costs this once.
_POLL_SECONDS = 0.2
_LOOK_UP_SECONDS = 5.0


def consumer_settings(kafka: Kafka, auth_dir: Path = Path(KAFKA_AUTH_DIR)) -> Settings:
    """Settings of a consumer with assigned partitions: it joins no group and commits nothing."""
    return {
        # Brokers answer one request after the other: one that waits for more holds up that for the next partition.
        "fetch.wait.max.ms": 5,
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 8_192,
        **client_settings(kafka, auth_dir, "streamjob-source"),
        "group.id": "streamjob",  # librdkafka asks for one; assigned partitions never contact a group's coordinator
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
    }


@cache
def cached_reader(kafka_json: str) -> "RangeReader":
    """This process's reader from these brokers, connected once."""
    return RangeReader(AssignedConsumer(consumer_settings(Kafka.model_validate_json(kafka_json))))


class RangeReader:
    """Reads ranges of offsets; remembers how large a topic's messages are."""

    def __init__(self, consumer: AssignedConsumer) -> None:
        self._consumer = consumer
        self._sizes: dict[str, int] = {}  # messages of a topic in a chunk

    def read(self, wanted: OffsetRange, chunk_bytes: int) -> Generator[Messages]:
        """Yield a range's messages in order, in chunks of about ``chunk_bytes``; wait while the brokers are away.

        Raises:
            OffsetsLost: the topic does not hold the range any more.
        """
        self._consumer.assign(wanted.topic, wanted.partition, wanted.start)
        try:
            position = wanted.start
            while position < wanted.end:
                size = self._sizes.get(wanted.topic, _FIRST_MESSAGES)
                polled = poll(self._consumer, min(size, wanted.end - position), _POLL_SECONDS, wanted.end)
                for event in polled.events:
                    position = max(position, _position_after(self._consumer, wanted, event))
                position = max(position, polled.next)
                if position >= wanted.end:
                    self._consumer.unassign()  # or more is fetched while the last messages are worked on
                if len(polled.messages):
                    self._sizes[wanted.topic] = _next_size(polled.messages, chunk_bytes)
                    yield polled.messages
        finally:
            self._consumer.unassign()


def _next_size(messages: Messages, chunk_bytes: int) -> int:
    mean_bytes = messages.value_bytes / len(messages)
    return int(min(_MESSAGES_AT_ONCE, max(1, chunk_bytes / max(mean_bytes, 1))))


def _position_after(consumer: AssignedConsumer, wanted: OffsetRange, event: Event) -> int:
    """Where an event that is no message leaves the reader; what passes by itself leaves it where it is."""
    if event.code == KafkaError._AUTO_OFFSET_RESET:
        raise OffsetsLost(_lost(wanted))
    if event.code != KafkaError._PARTITION_EOF:
        return wanted.start
    if event.offset < wanted.end and _end_of(consumer, wanted) < wanted.end:
        raise OffsetsLost(_lost(wanted))
    # Past a compacted range's last message there is only the end of the partition.
    return event.offset


def _end_of(consumer: AssignedConsumer, wanted: OffsetRange) -> int:
    try:
        return consumer.end_of(wanted.topic, wanted.partition, _LOOK_UP_SECONDS)
    except KafkaException:
        return wanted.end  # cannot be told now; the reader goes on waiting


def _lost(wanted: OffsetRange) -> str:
    return (
        f"partition {wanted.partition} of topic {wanted.topic} no longer holds offsets {wanted.start} to {wanted.end}: "
        f"retention deleted them or the topic was created anew; {TO_GO_ON}"
    )
