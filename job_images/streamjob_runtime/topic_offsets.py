"""What topics hold: their partitions with first and last offsets, looked up sparingly."""

import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition, Uuid
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from streamjob_runtime.kafka_settings import Settings
from streamjob_runtime.offsets import Offsets, Place

REQUEST_SECONDS = 4.0
# The engine asks on every trigger; brokers are asked at most this often.
_FRESH_SECONDS = 0.2
# For how long what a connection met explains requests that fail.
_HEARD_SECONDS = 15.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_PARTITIONS_FRESH_SECONDS = 10.0
_NO_ID = str(Uuid(0, 0))


class KafkaAway(Exception):  # noqa: N818 (no fault of the driver: it waits)
    """The brokers do not answer, or not as is needed; holds their words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class TopicOffsets:
    """The offsets of some topics.

    Every method raises ``KafkaAway`` while the brokers do not answer or do not know one of the topics.
    """

    def __init__(
        self, settings: Settings, topics: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._admin = AdminClient({**settings, "error_cb": self._heard})  # type: ignore[dict-item]
        self._heard_last: tuple[float, KafkaError | None] = (float("-inf"), None)
        self._topics = sorted(topics)
        self._clock = clock
        self._topic_ids: dict[str, str] = {}
        self._partitions: tuple[float, list[Place]] = (float("-inf"), [])
        self._latest: tuple[float, Offsets] = (float("-inf"), {})

    def partitions(self) -> list[Place]:
        """The topics' partitions, as of the last seconds."""
        asked_at, known = self._partitions
        if self._clock() - asked_at > _PARTITIONS_FRESH_SECONDS:
            described = self._admin.describe_topics(TopicCollection(self._topics), request_timeout=REQUEST_SECONDS)
            found = [self._answer(described[name].result, name) for name in self._topics]
            known = sorted(Place(topic.name, partition.id) for topic in found for partition in topic.partitions)
            self._topic_ids = {topic.name: str(topic.topic_id) for topic in found if str(topic.topic_id) != _NO_ID}
            self._partitions = (self._clock(), known)
        return known

    def topic_ids(self) -> dict[str, str]:
        """What the brokers call the topics, as of the last seconds; older brokers have no ids."""
        self.partitions()
        return self._topic_ids

    def latest(self) -> Offsets:
        """Where each partition ends for a reader of committed messages."""
        asked_at, known = self._latest
        if self._clock() - asked_at > _FRESH_SECONDS:
            known = self._look_up(_LATEST, self.partitions())
            self._latest = (self._clock(), known)
        return known

    def earliest(self, places: Iterable[Place]) -> Offsets:
        """Where these partitions begin."""
        return self._look_up(_EARLIEST, places)

    def at(self, time_ms: int) -> Offsets:
        """The first message of each partition that is not older; the partition's end where there is none."""
        found = self._look_up(OffsetSpec.for_timestamp(time_ms), self.partitions())
        latest = self.latest()
        return {place: latest[place] if offset < 0 else offset for place, offset in found.items()}

    def forget(self) -> None:
        """Ask the brokers anew at the next call."""
        self._partitions = (float("-inf"), [])
        self._latest = (float("-inf"), {})

    def _look_up(self, spec: OffsetSpec, places: Iterable[Place]) -> Offsets:
        asked = {TopicPartition(*place): spec for place in places}
        if not asked:
            return {}
        answers = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=REQUEST_SECONDS
        )
        return {
            Place(asked.topic, asked.partition): self._answer(answer.result, asked.topic).offset
            for asked, answer in answers.items()
        }

    def _answer(self, result: Callable[..., Any], topic: str) -> Any:
        """What a request gives, or why to wait."""
        try:
            return result(timeout=REQUEST_SECONDS + 1)
        except KafkaException as error:
            raise self._explained(kafka_away(error, topic), topic) from error
        except FutureTimeoutError as error:
            raise KafkaAway("KafkaUnreachable", "the brokers did not answer in time") from error

    def _heard(self, error: KafkaError) -> None:
        """A connection's own error says more than that a request was not answered in time."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._heard_last = (self._clock(), error)

    def _explained(self, away: KafkaAway, topic: str) -> KafkaAway:
        self._admin.poll(0)
        heard_at, error = self._heard_last
        if away.reason != "KafkaUnreachable" or error is None or self._clock() - heard_at > _HEARD_SECONDS:
            return away
        return kafka_away(KafkaException(error), topic)


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
