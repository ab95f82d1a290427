"""Names that the connections of an OU share, and the connections themselves: Kafka, Redis, the time-series store."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from streamjob_api import forms
from streamjob_api.base import ApiModel, Int
from streamjob_api.duration_limits import AtLeastASecond
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_api.schema_marks import SET, rules, unit
from streamjob_api.suggestions import did_you_mean

# librdkafka names that an OU may set; everything else is the operator's or the runtime's business.
KAFKA_PROPERTIES = (
    "client.dns.lookup",
    "fetch.max.bytes",
    "fetch.wait.max.ms",
    "message.max.bytes",
    "metadata.max.age.ms",
    "sasl.mechanism",
    "security.protocol",
    "socket.timeout.ms",
    "ssl.endpoint.identification.algorithm",
)

_HIGHEST_PORT = 65_535

# An object's name: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
ObjectName = Annotated[str, StringConstraints(pattern=forms.OBJECT_NAME.pattern, min_length=1, max_length=253)]
SecretName = ObjectName
# A glob over "model::point".
PointPattern = Annotated[str, StringConstraints(pattern=forms.POINT_PATTERN.pattern, min_length=1, max_length=258)]


class CreateTopics(ApiModel):
    """How the runtime creates output topics that are missing."""

    partitions: Int = Field(
        ge=1, le=10_000, description="Partitions of a new topic.", examples=[6], json_schema_extra=unit("partitions")
    )
    replication_factor: Int = Field(
        ge=1, le=32_767, description="Replicas of a new topic.", examples=[3], json_schema_extra=unit("replicas")
    )


class Kafka(ApiModel):
    """The OU's Kafka."""

    bootstrap_servers: Annotated[str, StringConstraints(pattern=forms.BROKERS.pattern, max_length=2048)] = Field(
        description="Brokers as host:port, separated by commas.", examples=["kafka:9092"]
    )
    auth_secret: SecretName | None = Field(
        default=None,
        description="Secret with any of username, password, sasl.mechanism, ca.crt, user.crt, user.key (PEM).",
        examples=["kafka-client"],
    )
    create_topics: CreateTopics | None = Field(
        default=None, description="Create missing topics so. Left out: topics are never created."
    )
    properties: dict[str, Annotated[str, StringConstraints(max_length=1024)]] = Field(
        default={},
        max_length=32,
        description=f"Further librdkafka settings, of: {', '.join(KAFKA_PROPERTIES)}.",
        examples=[{"security.protocol": "SASL_SSL"}],
        json_schema_extra=rules(
            (
                f"only these librdkafka settings may be set: {', '.join(KAFKA_PROPERTIES)}",
                f"self.all(name, name in [{', '.join(repr(name) for name in KAFKA_PROPERTIES)}])",
            )
        ),
    )

    def faults(self) -> Iterator[RuleFault]:
        """Ports exist; only the listed settings may be set."""
        for broker in self.bootstrap_servers.split(","):
            if not 0 < int(broker.rpartition(":")[2]) <= _HIGHEST_PORT:
                message = f"'{broker}' has no port that exists; write 1 to {_HIGHEST_PORT} behind the colon"
                yield RuleFault(message, ("bootstrapServers",))
        for name in self.properties:
            if name not in KAFKA_PROPERTIES:
                message = f"not one of the settings that may be set: {', '.join(KAFKA_PROPERTIES)}"
                yield RuleFault(message + did_you_mean(name, KAFKA_PROPERTIES), ("properties", name))


class Redis(ApiModel):
    """The OU's Redis, where latest values go."""

    url: Annotated[str, StringConstraints(pattern=forms.REDIS_URL.pattern, max_length=512)] = Field(
        description="redis:// or rediss:// (TLS) URL, without user and password.", examples=["redis://redis:6379/0"]
    )
    auth_secret: SecretName | None = Field(
        default=None,
        description="Secret with any of username, password, ca.crt, user.crt, user.key (PEM).",
        examples=["redis-client"],
    )


class StoragePolicy(ApiModel):
    """Which results are stored, and for how long."""

    points: list[PointPattern] = Field(
        min_length=1,
        max_length=200,
        description="Patterns of model::point (* and ?); a result is stored only if a policy covers its point.",
        examples=[["ElectricMeter::*"]],
        json_schema_extra=SET,
    )
    retention: AtLeastASecond | None = Field(
        default=None, description="How long results are kept. Left out: for ever.", examples=["90d"]
    )

    def faults(self) -> Iterator[RuleFault]:
        """No pattern is listed twice."""
        yield from listed_twice("points", self.points)


class TimeSeries(ApiModel):
    """The OU's time-series store, where results go by policy."""

    url: Annotated[str, StringConstraints(pattern=forms.POSTGRES_URL.pattern, max_length=512)] = Field(
        description="postgresql:// URL, without user and password.", examples=["postgresql://tsdb:5432/energy"]
    )
    auth_secret: SecretName | None = Field(
        default=None,
        description="Secret with any of username, password, ca.crt, user.crt, user.key (PEM).",
        examples=["tsdb"],
    )
    policies: list[StoragePolicy] = Field(
        default=[], max_length=50, description="What is stored. Left out: nothing is."
    )
