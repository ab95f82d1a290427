"""Writing a micro-batch's messages to Kafka: all of them are acknowledged, or the driver goes on waiting."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streamjob_api.job_file import KAFKA_AUTH_DIR
from streamjob_api.stream_resource import Kafka
from streamjob_runtime.kafka_settings import Settings, client_settings
from streamjob_runtime.topic_offsets import kafka_away
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Waits, longer

PART = "kafka-sink"
_FLUSH_SECONDS = 1.0
# Unanswered for this long, brokers count as away.
_SILENT_ROUNDS = 5
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}

Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True)
class Outgoing:
    """A message to send."""

    key: str | bytes | None
    value: str | bytes | None
    headers: Headers = field(default_factory=list)
    timestamp_ms: int = 0


def producer_settings(kafka: Kafka, auth_dir: Path = Path(KAFKA_AUTH_DIR)) -> Settings:
    """Settings of a producer that never gives a message up and never reorders."""
    return {
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.max.bytes": 10_000_000,  # the broker decides what is too large
        "queue.buffering.max.kbytes": 65_536,
        **client_settings(kafka, auth_dir, "streamjob-sink"),
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": 0,
        "delivery.report.only.error": True,
        "topic.metadata.propagation.max.ms": 5_000,
    }


class KafkaSink:
    """Sends messages and returns once the brokers have them."""

    def __init__(self, settings: Settings, waits: Waits) -> None:
        self._settings = settings
        self._waits = waits
        self._failed: list[tuple[KafkaError, Message]] = []
        self._producer = self._connected()

    def _connected(self) -> Producer:
        return Producer({**self._settings, "on_delivery": lambda error, message: self._failed.append((error, message))})

    def write(self, topic: str, messages: Callable[[], Iterable[Outgoing]]) -> list[Message]:
        """Send all messages, as often as it takes.

        Args:
            topic: where to.
            messages: gives them; called anew for each try.

        Returns:
            Messages that the brokers refuse for their size.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            refused = self._try(topic, messages())
            errors = [error for error, _ in refused if error.code() not in _TOO_LARGE]
            if not errors:
                self._waits.clear(PART)
                return [message for _, message in refused]
            away = kafka_away(KafkaException(errors[0]), topic)
            self._waits.report(PART, away.reason, away.message)
            if any(error.fatal() for error in errors):
                self._producer = self._connected()  # an idempotent producer is of no use after a fatal error
            self._waits.pause(pause)
            pause = longer(pause)

    def _try(self, topic: str, messages: Iterable[Outgoing]) -> list[tuple[KafkaError, Message]]:
        """Send once; what was not delivered, and why."""
        self._failed = []
        try:
            for message in messages:
                self._enqueue(topic, message)
        except KafkaException as error:
            self._failed.append((error.args[0], None))  # type: ignore[arg-type]
        self._flush()
        return self._failed

    def _enqueue(self, topic: str, message: Outgoing) -> None:
        for _ in self._rounds():
            try:
                self._producer.produce(
                    topic, message.value, message.key, headers=message.headers, timestamp=message.timestamp_ms
                )
            except BufferError:
                self._producer.poll(_FLUSH_SECONDS)
            else:
                return

    def _flush(self) -> None:
        for _ in self._rounds():
            if self._producer.flush(_FLUSH_SECONDS) == 0:
                return

    def _rounds(self) -> Iterator[int]:
        """Rounds without end; they tell when nothing moves any more, and end when the driver stops."""
        silent, queued = 0, len(self._producer)
        while True:
            yield silent
            silent = silent + 1 if len(self._producer) >= queued else 0
            queued = len(self._producer)
            if silent == _SILENT_ROUNDS:
                self._waits.report(PART, "KafkaUnreachable", "the brokers acknowledge nothing")
            if self._waits.is_aborted:
                self._producer.purge()
            self._waits.pause(0)
