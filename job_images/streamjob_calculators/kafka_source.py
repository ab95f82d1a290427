"""Kafka source: takes the records of some points from a topic of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from streamjob_api.permissions import Permissions
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_api.topics import TopicName, not_allowed
from streamjob_calculators.kit import Calculator, Run, pl

MAX_POINTS = 200


class KafkaSource(Calculator):
    """Takes the records of some points from a topic of their own, and not from that of the OU's devices.

    It reads `source` and nothing else. Records in the topic have the service's form, also where the OU's devices send
    another one; those of points that no stage names are unused. All other stages of the job that work on these points
    read this one, for a point comes from one topic. The OU's StreamResource must list the topic in
    `spec.pipelines.topics`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("edh-kafka-consumer",)

    topic: TopicName = Field(description="Topic of the OU's Kafka to read.", examples=["plant-weather"])
    points: list[PointRef] = Field(
        min_length=1,
        max_length=MAX_POINTS,
        description="Points whose records come through it.",
        examples=[["Site::Irradiance", "Site::Wind"]],
    )

    def faults(self) -> Iterator[RuleFault]:
        """No point is named twice."""
        yield from listed_twice("points", self.points)

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def takes(self) -> frozenset[PointRef]:
        """Return the points."""
        return frozenset(self.points)

    def topic_read(self) -> str:
        """Return the topic."""
        return self.topic

    def check_allowed(self, allowed: Permissions) -> Iterator[RuleFault]:
        """The topic is one that pipelines may use."""
        yield from not_allowed(self.topic, "reads", allowed.topics)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records, which came through the topic."""
        return records
