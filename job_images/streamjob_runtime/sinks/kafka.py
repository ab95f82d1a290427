"""Writing a micro-batch's messages to Kafka: all of them are acknowledged, or the driver goes on waiting."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException

from streamjob_api.connections import Kafka
from streamjob_api.job_file import KAFKA_AUTH_DIR
from streamjob_runtime.kafka_results import Outgoing, Rows
from streamjob_runtime.kafka_settings import Settings, client_settings
from streamjob_runtime.librdkafka_producer import Failure, Producer
from streamjob_runtime.topic_offsets import kafka_away
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Waits, longer

PART = "kafka-sink"
# What C reads is a copy of so many rows.
_ROWS_AT_ONCE = 2048
_FLUSH_SECONDS = 1.0
# How long to let a full queue drain: nobody tells when there is room again.
_DRAIN_SECONDS = 0.002
# Unanswered for this long, brokers count as away.
_SILENT_SECONDS = 5.0
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
# In a request by itself, and together with others.
_MAY_BE_STAMPED_WRONG = {KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD}


def producer_settings(kafka: Kafka, auth_dir: Path = Path(KAFKA_AUTH_DIR)) -> Settings:
    """Settings of a producer that never gives a message up and never reorders."""
    return {
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.max.bytes": 10_000_000,  # the broker decides what is too large
        "queue.buffering.max.kbytes": 65_536,
        "queue.buffering.max.messages": 5_000,  # what waits longer has left the processor's caches
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
        self._producer = Producer(settings)
        self._numbered = 0  # messages of all tries: what an abandoned one leaves is not taken for another's

    def write(self, topic: str, messages: Callable[[], Iterable[Outgoing]]) -> list[Outgoing]:
        """Send all messages, as often as it takes.

        A topic takes no message whose time lies further ahead than its ``message.timestamp.after.max.ms``, an hour by
        default: such a message gets the time of sending.

        Args:
            topic: where to.
            messages: gives them, part by part, for only one needs to be held; called anew for each try.

        Returns:
            Messages that the brokers refuse for their size, each by itself.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        pause, sent_now = FIRST_PAUSE_SECONDS, set[int]()
        while True:
            failures, too_large = self._try_all(topic, messages, sent_now)
            stamped_wrong = {failure.number for failure in failures if failure.code in _MAY_BE_STAMPED_WRONG}
            if stamped_wrong - sent_now:
                sent_now |= stamped_wrong
                continue  # what shared a request with such a message was refused along with it
            if not failures:
                self._waits.clear(PART)
                return too_large
            self._tell(failures[0], topic)
            self._waits.pause(pause)
            pause = longer(pause)

    def _tell(self, failure: Failure, topic: str) -> None:
        fatal = self._producer.fatal_error()
        away = kafka_away(KafkaException(fatal or KafkaError(failure.code)), topic)
        self._waits.report(PART, away.reason, away.message)
        if fatal:
            self._producer = Producer(self._settings)  # an idempotent one is of no use after a fatal error

    def _try_all(
        self, topic: str, messages: Callable[[], Iterable[Outgoing]], sent_now: Collection[int]
    ) -> tuple[list[Failure], list[Outgoing]]:
        """Send once; failures, by row, that are worth another try, and messages that are too large.

        A broker refuses a request as a whole: what shared one with a message that is too large is sent by itself.
        """
        failures = self._try(topic, _parts(messages(), sent_now))
        refused = {failure.number for failure in failures if failure.code in _TOO_LARGE}
        too_large: list[Outgoing] = []
        if len(refused) == len(failures):
            failures = []
            for row, message in _each(_parts(messages(), sent_now), refused):
                again = self._try(topic, [(row, message)])
                too_large += [message for failure in again if failure.code in _TOO_LARGE]
                failures += again
        return [failure for failure in failures if failure.code not in _TOO_LARGE], too_large

    def _try(self, topic: str, parts: Iterable[tuple[int, Outgoing]]) -> list[Failure]:
        """Send once; failures by row."""
        base, refused = self._numbered, list[Failure]()
        for first, part in parts:
            self._numbered = base + first + len(part)
            refused += self._hand_over(Rows(topic, part), base + first)
            if refused and refused[-1].code not in _TOO_LARGE:
                break  # nor will the producer take the next
        for _ in self._rounds():
            if self._producer.flush(_FLUSH_SECONDS):
                break
        failures = [*self._producer.take_failures(), *refused]
        return [Failure(number - base, code) for number, code in failures if number >= base]

    def _hand_over(self, rows: Rows, first: int) -> list[Failure]:
        """Give rows to the producer; those that it does not take, of which one may be the last to be tried."""
        refused, begin, rounds = list[Failure](), 0, self._rounds()
        while (stopped := rows.send(self._producer, begin, first)).code:
            if stopped.code == KafkaError._QUEUE_FULL:
                rounds = self._rounds() if stopped.row > begin else rounds
                next(rounds)
                begin = stopped.row
                self._producer.poll(_DRAIN_SECONDS)
                continue
            refused.append(Failure(first + stopped.row, stopped.code))
            if stopped.code not in _TOO_LARGE:
                break
            begin = stopped.row + 1
        return refused

    def _rounds(self) -> Iterator[None]:
        """Rounds without end; they tell when nothing moves any more, and end when the driver stops."""
        queued, moved_at = len(self._producer), time.monotonic()
        while True:
            yield
            if len(self._producer) < queued:
                moved_at = time.monotonic()
            queued = len(self._producer)
            if time.monotonic() - moved_at > _SILENT_SECONDS:
                self._waits.report(PART, "KafkaUnreachable", "the brokers acknowledge nothing")
            if self._waits.is_aborted:
                self._producer.purge()
            self._waits.pause(0)


def _parts(messages: Iterable[Outgoing], sent_now: Collection[int]) -> Iterator[tuple[int, Outgoing]]:
    """Few rows at once, with the number of the first; those of ``sent_now`` get the time of sending."""
    first = 0
    for each in messages:
        for begin in range(0, len(each), _ROWS_AT_ONCE):
            part = each.slice(begin, _ROWS_AT_ONCE)
            numbers = range(first, first + len(part))
            yield first, part.sent_now([row - first for row in numbers if row in sent_now] if sent_now else [])
            first += len(part)


def _each(parts: Iterable[tuple[int, Outgoing]], rows: Collection[int]) -> Iterator[tuple[int, Outgoing]]:
    """These rows, each by itself, with its number."""
    for first, part in parts:
        for row in range(first, first + len(part)):
            if row in rows:
                yield row, part.slice(row - first, 1)
