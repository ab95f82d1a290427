"""Kafka sink: has records leave the job through a topic of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from streamjob_api.permissions import Permissions
from streamjob_api.rule_faults import RuleFault
from streamjob_api.topics import TopicName, not_allowed
from streamjob_calculators.kit import Calculator, Run, pl


class KafkaSink(Calculator):
    """Ends a branch: its records leave the job through a topic of their own, and not through that of the results.

    They have the form, the keys and the guarantees of other results, but are not among the latest values in Redis, nor
    what other jobs read as results: several jobs may write the same point to topics of their own. The OU's
    StreamResource must list the topic in `spec.pipelines.topics`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("edh-kafka-producer",)

    topic: TopicName = Field(description="Topic of the OU's Kafka that records go to.", examples=["plant-alarms"])

    def topic_written(self) -> str:
        """Return the topic."""
        return self.topic

    def check_allowed(self, allowed: Permissions) -> Iterator[RuleFault]:
        """The topic is one that pipelines may use."""
        yield from not_allowed(self.topic, "writes", allowed.topics)

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records; the pipeline names their topic as they leave."""
        return records
