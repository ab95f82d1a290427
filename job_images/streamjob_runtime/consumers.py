"""Reading an exact range of one Kafka partition, by a consumer that outlives micro-batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streamjob_api.connections import Kafka
from streamjob_api.job_file import KAFKA_AUTH_DIR
from streamjob_runtime.faults import OffsetsLost
from streamjob_runtime.kafka_settings import Settings, client_settings

_MESSAGES_AT_ONCE = 10_000
_FIRST_MESSAGES = 200
# Long enough for a fetch; a shorter range than was asked for costs this once.
_POLL_SECONDS = 0.2
_LOOK_UP_SECONDS = 5.0


@dataclass(frozen=True)
class OffsetRange:
    """Messages ``[start, end)`` of one partition."""

    topic: str
    partition: int
    start: int
    end: int


def consumer_settings(kafka: Kafka, auth_dir: Path = Path(KAFKA_AUTH_DIR)) -> Settings:
    """Settings of a consumer with assigned partitions: it joins no group and commits nothing."""
    return {
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 16_384,
        **client_settings(kafka, auth_dir, "streamjob-source"),
        "group.id": "streamjob",  # librdkafka asks for one; assigned partitions never contact a group's coordinator
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
    }


@cache
def cached_consumer(kafka_json: str) -> Consumer:
    """This process's consumer of these brokers, connected once."""
    return Consumer(consumer_settings(Kafka.model_validate_json(kafka_json)))


def read_range(consumer: Consumer, wanted: OffsetRange, chunk_bytes: int) -> Iterator[Sequence[Message]]:
    """Yield a range's messages in order, in chunks of about ``chunk_bytes``; wait while the brokers are away.

    Raises:
        OffsetsLost: the topic does not hold the range any more.
    """
    consumer.assign([TopicPartition(wanted.topic, wanted.partition, wanted.start)])
    try:
        position, size = wanted.start, _FIRST_MESSAGES
        while position < wanted.end:
            polled = consumer.consume(min(size, wanted.end - position), timeout=_POLL_SECONDS)
            messages, position = _sorted_out(consumer, wanted, polled, position)
            if messages:
                size = _next_size(messages, chunk_bytes)
                yield messages
    finally:
        consumer.unassign()


def _next_size(messages: Sequence[Message], chunk_bytes: int) -> int:
    sample = messages[:: max(1, len(messages) // 100)]
    mean_bytes = sum(len(message) for message in sample) / len(sample)
    return int(min(_MESSAGES_AT_ONCE, max(1, chunk_bytes / max(mean_bytes, 1))))


def _sorted_out(
    consumer: Consumer, wanted: OffsetRange, polled: list[Message], position: int
) -> tuple[list[Message], int]:
    """The messages of the range among what was polled, and where to read on."""
    messages = [message for message in polled if message.error() is None]
    for message in polled if len(messages) < len(polled) else ():
        if (error := message.error()) is not None:
            position = max(position, _position_after(consumer, wanted, error, message))
    if messages:
        position = max(position, _offset(messages[-1]) + 1)
    if position > wanted.end:
        messages = [message for message in messages if _offset(message) < wanted.end]
    return messages, position


def _position_after(consumer: Consumer, wanted: OffsetRange, error: KafkaError, message: Message) -> int:
    """Where an event that is no message leaves the reader; what passes by itself leaves it where it is."""
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        raise OffsetsLost(_lost(wanted))
    if error.code() != KafkaError._PARTITION_EOF:
        return wanted.start
    if _offset(message) < wanted.end and _high_watermark(consumer, wanted) < wanted.end:
        raise OffsetsLost(_lost(wanted))
    # Past a compacted range's last message there is only the end of the partition.
    return _offset(message)


def _offset(message: Message) -> int:
    offset = message.offset()
    return -1 if offset is None else offset


def _high_watermark(consumer: Consumer, wanted: OffsetRange) -> int:
    try:
        _, high = consumer.get_watermark_offsets(
            TopicPartition(wanted.topic, wanted.partition), timeout=_LOOK_UP_SECONDS
        )
    except KafkaException:
        return wanted.end  # cannot be told now; the reader goes on waiting
    return int(high)


def _lost(wanted: OffsetRange) -> str:
    return (
        f"partition {wanted.partition} of topic {wanted.topic} no longer holds offsets {wanted.start} to {wanted.end}: "
        f"retention deleted them or the topic was created anew; {TO_GO_ON}"
    )


TO_GO_ON: Final = (
    "to go on without them, pause the job and move its offsets (streamjob offsets reset); Stopped and then Running "
    "drops its state, too"
)
