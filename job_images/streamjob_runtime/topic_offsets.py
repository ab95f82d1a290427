"""What a topic holds: its partitions and their first and last offsets, looked up sparingly."""

import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from streamjob_runtime.kafka_settings import Settings

Offsets = dict[int, int]
REQUEST_SECONDS = 4.0
# The engine asks on every trigger; brokers are asked at most this often.
_FRESH_SECONDS = 0.2
# For how long what a connection met explains requests that fail.
_HEARD_SECONDS = 15.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_PARTITIONS_FRESH_SECONDS = 10.0


class KafkaAway(Exception):  # noqa: N818 (no fault of the driver: it waits)
    """The brokers do not answer, or not as is needed; holds their words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class TopicOffsets:
    """One topic's offsets.

    Every method raises ``KafkaAway`` while the brokers do not answer or do not know the topic.
    """

    def __init__(self, settings: Settings, topic: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._admin = AdminClient({**settings, "error_cb": self._heard})  # type: ignore[dict-item]
        self._heard_last: tuple[float, KafkaError | None] = (float("-inf"), None)
        self._topic = topic
        self._clock = clock
        self._partitions: tuple[float, list[int]] = (float("-inf"), [])
        self._latest: tuple[float, Offsets] = (float("-inf"), {})

    def partitions(self) -> list[int]:
        """The topic's partitions, as of the last seconds."""
        asked_at, known = self._partitions
        if self._clock() - asked_at > _PARTITIONS_FRESH_SECONDS:
            described = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=REQUEST_SECONDS)
            topic = self._answer(described[self._topic].result)
            known = sorted(partition.id for partition in topic.partitions)
            self._partitions = (self._clock(), known)
        return known

    def latest(self) -> Offsets:
        """Where each partition ends for a reader of committed messages."""
        asked_at, known = self._latest
        if self._clock() - asked_at > _FRESH_SECONDS:
            known = self._look_up(_LATEST, self.partitions())
            self._latest = (self._clock(), known)
        return known

    def earliest(self, partitions: list[int]) -> Offsets:
        """Where these partitions begin."""
        return self._look_up(_EARLIEST, partitions)

    def at(self, time_ms: int) -> Offsets:
        """The first message of each partition that is not older; the partition's end where there is none."""
        found = self._look_up(OffsetSpec.for_timestamp(time_ms), self.partitions())
        latest = self.latest()
        return {partition: latest[partition] if offset < 0 else offset for partition, offset in found.items()}

    def forget(self) -> None:
        """Ask the brokers anew at the next call."""
        self._partitions = (float("-inf"), [])
        self._latest = (float("-inf"), {})

    def _look_up(self, spec: OffsetSpec, partitions: list[int]) -> Offsets:
        if not partitions:
            return {}
        asked = {TopicPartition(self._topic, partition): spec for partition in partitions}
        answers = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=REQUEST_SECONDS
        )
        return {asked.partition: self._answer(answer.result).offset for asked, answer in answers.items()}

    def _answer(self, result: Callable[..., Any]) -> Any:
        """What a request gives, or why to wait."""
        try:
            return result(timeout=REQUEST_SECONDS + 1)
        except KafkaException as error:
            raise self._explained(kafka_away(error, self._topic)) from error
        except FutureTimeoutError as error:
            raise KafkaAway("KafkaUnreachable", "the brokers did not answer in time") from error

    def _heard(self, error: KafkaError) -> None:
        """A connection's own error says more than that a request was not answered in time."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._heard_last = (self._clock(), error)

    def _explained(self, away: KafkaAway) -> KafkaAway:
        self._admin.poll(0)
        heard_at, error = self._heard_last
        if away.reason != "KafkaUnreachable" or error is None or self._clock() - heard_at > _HEARD_SECONDS:
            return away
        return kafka_away(KafkaException(error), self._topic)


def kafka_away(error: KafkaException, topic: str) -> KafkaAway:
    """A broker's or the client's error as a reason to wait, in its own words."""
    what = error.args[0]
    match what.name():
        case "UNKNOWN_TOPIC_OR_PART" | "_UNKNOWN_TOPIC" | "_UNKNOWN_PARTITION":
            return KafkaAway("TopicMissing", f"topic {topic} does not exist")
        case "TOPIC_AUTHORIZATION_FAILED" | "CLUSTER_AUTHORIZATION_FAILED":
            return KafkaAway("KafkaDenied", f"topic {topic}: {what.str()}")
        case "_AUTHENTICATION" | "SASL_AUTHENTICATION_FAILED" | "_SSL":
            return KafkaAway("KafkaDenied", what.str())
        case _:
            return KafkaAway("KafkaUnreachable", what.str())
