"""The names of an OU's topics: its own, or the service's."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic.alias_generators import to_camel

from streamjob_api import forms
from streamjob_api.base import ApiModel
from streamjob_api.rule_faults import RuleFault

# Kafka's own rule; its topics "." and ".." would be folders.
TopicName = Annotated[str, StringConstraints(pattern=forms.TOPIC.pattern, max_length=249)]

# A driver's offsets hold, beside topics by name, its clock and the like.
OFFSET_MEMBERS = frozenset({"now", "ticks", "read", "topicIds", "edits"})


class Topics(ApiModel):
    """The OU's own names of topics; each differs from all others."""

    origin: TopicName | None = Field(
        default=None,
        description="What devices send. Default: MEASURE_POINT_ORIGIN_<orgId>.",
        examples=["plant-raw"],
    )
    cal: TopicName | None = Field(
        default=None, description="Results. Default: MEASURE_POINT_CAL_<orgId>.", examples=["plant-results"]
    )
    offline_origin: TopicName | None = Field(
        default=None,
        description="Historical data, for jobs with messageChannel Offline. "
        "Default: MEASURE_POINT_OFFLINE_ORIGIN_<orgId>.",
        examples=["plant-history"],
    )
    offline_cal: TopicName | None = Field(
        default=None,
        description="Results of jobs with messageChannel Offline. Default: MEASURE_POINT_OFFLINE_CAL_<orgId>.",
        examples=["plant-history-results"],
    )
    dead_letter: TopicName | None = Field(
        default=None,
        description="Messages that cannot be read. Default: STREAMJOB_DEAD_LETTER_<orgId>.",
        examples=["plant-unreadable"],
    )

    def named_for(self, org_id: str) -> "TopicNames":
        """The names that an OU's drivers use."""
        return TopicNames(
            origin=self.origin or f"MEASURE_POINT_ORIGIN_{org_id}",
            cal=self.cal or f"MEASURE_POINT_CAL_{org_id}",
            offline_origin=self.offline_origin or f"MEASURE_POINT_OFFLINE_ORIGIN_{org_id}",
            offline_cal=self.offline_cal or f"MEASURE_POINT_OFFLINE_CAL_{org_id}",
            dead_letter=self.dead_letter or f"STREAMJOB_DEAD_LETTER_{org_id}",
        )

    def clashes(self, org_id: str) -> list[str]:
        """What is wrong where a written name is also the default of another use; only the orgId tells."""
        names = asdict(self.named_for(org_id))
        return list(_clashes({to_camel(use): name for use, name in names.items()}))

    def faults(self) -> Iterator[RuleFault]:
        """Names that Kafka refuses, and one name for two uses."""
        written = self.model_dump(exclude_none=True)
        for use, name in written.items():
            yield from (RuleFault(message, (use,)) for message in name_faults(name))
        yield from map(RuleFault, _clashes(written))


def name_faults(name: str) -> Iterator[str]:
    """What is wrong with the name of a topic, whatever it serves as."""
    if name in {".", ".."}:
        yield f"{name!r} is no topic name; Kafka refuses it"
    if name in OFFSET_MEMBERS:
        yield f"{name!r} is a word that drivers use in their offsets; give the topic another name"


def not_allowed(topic: str, does: str, allowed: Collection[str]) -> Iterator[RuleFault]:
    """What stands against a stage that reads or writes a topic."""
    if topic not in allowed:
        yield RuleFault(f"{does} '{topic}', which spec.pipelines.topics does not list; ask for it", ("topic",))


@dataclass(frozen=True)
class TopicNames:
    """The topics of an OU, by what they hold."""

    origin: str
    cal: str
    offline_origin: str
    offline_cal: str
    dead_letter: str


def _clashes(names: Mapping[str, str]) -> Iterator[str]:
    uses: dict[str, list[str]] = {}
    for use, name in names.items():
        uses.setdefault(name, []).append(use)
    for name, several in uses.items():
        if len(several) > 1:
            yield f"topic {name!r} serves as {' and '.join(several)}; give each its own topic"
