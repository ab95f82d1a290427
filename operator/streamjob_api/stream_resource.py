"""The StreamResource: what an OU asked for. An OU is a namespace; it has one StreamResource."""

from typing import Annotated

from pydantic import Field, StringConstraints

from streamjob_api.base import ApiModel

LIBRARIES_PER_DESIGN_CU = 3
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

SecretName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", min_length=1, max_length=253)
]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(Mi|Gi|Ti)$", max_length=32)]


class Capacity(ApiModel):
    """Computing units by use; 1 CU is 1 CPU core and 2 GiB of memory."""

    design: int = Field(
        default=1,
        ge=0,
        le=100,
        description="CU for installed libraries, 3 of them per CU. Default 1.",
    )
    standalone: float = Field(
        default=0,
        ge=0,
        le=2000,
        multiple_of=0.5,
        description="CU for jobs in Standalone mode. Default 0: none may run. Example: 8.",
    )


class Library(ApiModel):
    """An installed template at a version."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        description="Name in the operator's catalogue. Example: time-window-aggregation."
    )
    version: Annotated[str, StringConstraints(min_length=1, max_length=32)] = Field(
        description="Version in the operator's catalogue; it selects a runtime image. Example: '1.0'."
    )


class CreateTopics(ApiModel):
    """How the runtime creates output topics that are missing."""

    partitions: int = Field(ge=1, le=10_000, description="Partitions of a new topic.")
    replication_factor: int = Field(ge=1, le=32_767, description="Replicas of a new topic.")


class Kafka(ApiModel):
    """The OU's Kafka."""

    bootstrap_servers: Annotated[
        str, StringConstraints(pattern=r"^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$", max_length=2048)
    ] = Field(description="Brokers as host:port, separated by commas. Example: 'kafka:9092'.")
    auth_secret: SecretName | None = Field(
        default=None,
        description="Secret with any of username, password, sasl.mechanism, ca.crt, user.crt, user.key (PEM).",
    )
    create_topics: CreateTopics | None = Field(
        default=None, description="Create missing topics so. Default: topics are never created."
    )
    properties: dict[str, Annotated[str, StringConstraints(max_length=1024)]] = Field(
        default={},
        max_length=32,
        description=f"Further librdkafka settings, of: {', '.join(KAFKA_PROPERTIES)}.",
    )


class Redis(ApiModel):
    """The OU's Redis, where latest values go."""

    url: Annotated[str, StringConstraints(pattern=r"^rediss?://[^@\s]+$", max_length=512)] = Field(
        description="redis:// or rediss:// (TLS) URL, without user and password. Example: 'redis://redis:6379/0'."
    )
    auth_secret: SecretName | None = Field(
        default=None, description="Secret with any of username, password, ca.crt, user.crt, user.key (PEM)."
    )


class VolumeClaim(ApiModel):
    """The claim that is made for each job's checkpoints."""

    storage_class_name: SecretName | None = Field(
        default=None, description="StorageClass of the claims. Default: the cluster's default class."
    )
    size: Quantity = Field(default="1Gi", description="Size of each job's claim. Default 1Gi.")


class Checkpoints(ApiModel):
    """Where jobs keep state and offsets."""

    volume_claim: VolumeClaim = Field(
        default=VolumeClaim(), description="One claim for each job, deleted with the job."
    )


class StreamResourceSpec(ApiModel):
    """What an OU asked for: capacity, installed templates, connections."""

    org_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)] | None = Field(
        default=None,
        description="The OU's id in topics and records. Default: the namespace's name. Example: o15724268424841.",
    )
    capacity: Capacity = Field(description="Computing units by use.")
    libraries: list[Library] = Field(
        default=[], max_length=300, description="Installed templates; each takes one of the 3 slots of a design CU."
    )
    kafka: Kafka = Field(description="The OU's Kafka.")
    redis: Redis | None = Field(
        default=None, description="The OU's Redis, where latest values go. Default: results go to Kafka only."
    )
    checkpoints: Checkpoints = Field(default=Checkpoints(), description="Where jobs keep state and offsets.")
