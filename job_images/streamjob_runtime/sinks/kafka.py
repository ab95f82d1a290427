"""Writing a micro-batch's messages to Kafka: all of them are acknowledged, or the driver goes on waiting."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streamjob_api.connections import Kafka
from streamjob_api.job_file import KAFKA_AUTH_DIR
from streamjob_runtime.kafka_settings import Settings, client_settings
from streamjob_runtime.topic_offsets import kafka_away
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Waits, longer

PART = "kafka-sink"
_FLUSH_SECONDS = 1.0
# Unanswered for this long, brokers count as away.
_SILENT_ROUNDS = 5
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
# In a request by itself, and together with others.
_MAY_BE_STAMPED_WRONG = {KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD}

Headers = list[tuple[str, str | bytes | None]]
Content = tuple[bytes, bytes]


class Outgoing(NamedTuple):
    """A message to send; a tuple, for every result is one."""

    key: str | bytes | None
    value: str | bytes | None
    headers: Headers = []  # noqa: RUF012 (nobody changes it)
    timestamp_ms: int = 0

    @property
    def content(self) -> Content:
        """Key and value as bytes."""
        return _bytes(self.key), _bytes(self.value)


def _bytes(text: str | bytes | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""


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
        self._failed: list[tuple[KafkaError, Content | None]] = []
        self._restamped: set[Content] = set()
        self._producer = self._connected()

    def _connected(self) -> Producer:
        return Producer({**self._settings, "on_delivery": self._not_delivered})

    def _not_delivered(self, error: KafkaError, message: Message) -> None:
        content = (_bytes(message.key()), _bytes(message.value()))
        self._failed.append((error, content))
        if error.code() in _MAY_BE_STAMPED_WRONG:
            self._restamped.add(content)

    def write(self, topic: str, messages: Callable[[], Iterable[Outgoing]]) -> list[Outgoing]:
        """Send all messages, as often as it takes.

        A topic takes no message whose time lies further ahead than its ``message.timestamp.after.max.ms``, an hour by
        default: such a message gets the time of sending.

        Args:
            topic: where to.
            messages: gives them; called anew for each try.

        Returns:
            Messages that the brokers refuse for their size.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        pause = FIRST_PAUSE_SECONDS
        self._restamped = set()
        while True:
            restamped = len(self._restamped)
            errors, too_large = self._try_all(topic, messages)
            if len(self._restamped) > restamped:
                continue  # what shared a request with such a message was refused along with it
            if not errors:
                self._waits.clear(PART)
                return too_large
            away = kafka_away(KafkaException(errors[0]), topic)
            self._waits.report(PART, away.reason, away.message)
            if any(error.fatal() for error in errors):
                self._producer = self._connected()  # an idempotent producer is of no use after a fatal error
            self._waits.pause(pause)
            pause = longer(pause)

    def _try_all(
        self, topic: str, messages: Callable[[], Iterable[Outgoing]]
    ) -> tuple[list[KafkaError], list[Outgoing]]:
        """Send once; errors that are worth another try, and messages that are too large.

        A broker refuses a request as a whole: what shared one with a message that is too large is sent by itself.
        """
        refused, errors = self._try(topic, messages()), self._lasting_errors
        too_large: list[Outgoing] = []
        if errors or not refused:
            return errors, too_large
        for message in messages():
            if refused[message.content] > 0:
                refused[message.content] -= 1
                too_large += [message] * self._try(topic, [message]).total()
                errors += self._lasting_errors
        return errors, too_large

    def _try(self, topic: str, messages: Iterable[Outgoing]) -> "Counter[Content]":
        """Send once; what was refused for its size."""
        self._failed = []
        try:
            for message in messages:
                self._enqueue(topic, message)
        except KafkaException as error:
            self._failed.append((error.args[0], None))
        self._flush()
        return Counter(content for error, content in self._failed if content and error.code() in _TOO_LARGE)

    @property
    def _lasting_errors(self) -> list[KafkaError]:
        return [error for error, content in self._failed if content is None or error.code() not in _TOO_LARGE]

    def _enqueue(self, topic: str, message: Outgoing) -> None:
        try:
            self._produce(topic, message)
        except BufferError:
            self._enqueue_when_there_is_room(topic, message)

    def _enqueue_when_there_is_room(self, topic: str, message: Outgoing) -> None:
        for _ in self._rounds():
            try:
                self._produce(topic, message)
            except BufferError:
                self._producer.poll(_FLUSH_SECONDS)
            else:
                return

    def _produce(self, topic: str, message: Outgoing) -> None:
        key, value, headers, timestamp_ms = message
        if self._restamped and message.content in self._restamped:
            timestamp_ms = 0
        self._producer.produce(topic, value, key, headers=headers, timestamp=timestamp_ms)

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
