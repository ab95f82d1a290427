"""``job.json``: all that a driver is told, written by the operator and mounted into the driver pod."""

from datetime import datetime

from pydantic import Field

from streamjob_api.base import ApiModel
from streamjob_api.connections import Kafka, Redis
from streamjob_api.permissions import Permissions
from streamjob_api.points import PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.source import MessageMapping, Source
from streamjob_api.state_identity import input_topic, topic_names
from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_api.stream_resource import UTC
from streamjob_api.timezones import TimeZone
from streamjob_api.topics import TopicNames

FORMAT_VERSION = 1
# Where the driver pod finds what it is given; the builder of the pod and the runtime both read these.
JOB_FILE = "/etc/streamjob/job/job.json"
EXECUTOR_TEMPLATE = "/etc/streamjob/job/executor.json"
KAFKA_AUTH_DIR = "/etc/streamjob/kafka"
REDIS_AUTH_DIR = "/etc/streamjob/redis"
HTTP_AUTH_DIR = "/etc/streamjob/http"
CHECKPOINT_DIR = "/var/lib/streamjob/checkpoints"
SCRATCH_DIR = "/tmp/streamjob"  # noqa: S108 (an emptyDir of the pod)
TERMINATION_LOG = "/dev/termination-log"
DRIVER_HTTP_PORT = 8090
# Of a Cluster job: where executors reach the driver, and everybody everybody's blocks. Spark's own numbers.
DRIVER_RPC_PORT = 7078
BLOCKS_PORT = 7079
# What only the kubelet knows, in the environment of a Cluster job's driver.
POD_IP = "STREAMJOB_POD_IP"
# "true" in the environment of a driver whose checkpoint was in use by a healthy one: it must be there. No part of the
# job file, since a runtime of an older version, which does not know it, has to go on all the same.
CONTINUES = "STREAMJOB_CONTINUES"


class JobIdentity(ApiModel):
    """Which job this is, and which try at running it."""

    namespace: str
    name: str
    uid: str
    created: datetime = Field(description="Creation time of the StreamJob; the first part of a result's revision.")
    attempt: int = Field(ge=1, description="Second part of a revision; a higher attempt fences a lower one.")
    epoch: int = Field(ge=0, description="Raised whenever state and offsets are dropped.")
    generation: int = Field(ge=0, description="Generation of the spec.")


class Executors(ApiModel):
    """How the driver of a Cluster job starts its executors; how many and how large they are, the spec says."""

    driver_pod: str = Field(description="Name of the driver's pod, which owns them.")
    name_prefix: str = Field(description="Their names are this, -exec- and a number.")
    image: str
    image_pull_policy: str
    cpu_request: str = Field(description="CPU that each requests, as Kubernetes writes it.")
    cpu_limit: str = Field(description="CPU that each may use, as Kubernetes writes it.")


class JobFile(ApiModel):
    """What one driver runs, as the operator resolved it."""

    format_version: int = FORMAT_VERSION
    job: JobIdentity
    org_id: str
    spec: StreamJobSpec
    kafka: Kafka
    redis: Redis | None = None
    source: Source | None = Field(default=None, description="Own topic names and the mapping of messages.")
    timezone: TimeZone = Field(default=UTC, description="Of the OU's days, where the job names none.")
    pipelines: Permissions | None = Field(default=None, description="What pipelines may do beyond calculating.")
    calculated: list[PointRef] = Field(
        default=[], description="Inputs that other jobs of the OU calculate; they are read from the results' topic."
    )
    names: ResolvedNames = Field(
        default=ResolvedNames(), description="What the thing models say of the names in expressions; without, nothing."
    )
    executors: Executors | None = Field(default=None, description="Of a Cluster job; without, one pod does all.")
    checkpoint_dir: str = Field(default=CHECKPOINT_DIR, description="Root of the checkpoint volume.")
    scratch_dir: str = Field(default=SCRATCH_DIR, description="Files that need not survive the pod.")
    http_port: int = Field(default=DRIVER_HTTP_PORT, ge=0, le=65535)

    @property
    def checkpoint_path(self) -> str:
        """``<base>/<namespace>/<job>/<job uid>/<epoch>``."""
        return f"{self.checkpoint_dir}/{checkpoint_key(self.job)}"

    @property
    def input_topic(self) -> str:
        """The topic that devices' records come through."""
        return input_topic(self.spec, self.org_id, self.source)

    @property
    def output_topic(self) -> str:
        """The topic that results go to."""
        return self._topics.offline_cal if self._is_offline else self._topics.cal

    @property
    def dead_letter_topic(self) -> str:
        """The topic that unreadable messages go to."""
        return self._topics.dead_letter

    @property
    def mapping(self) -> MessageMapping | None:
        """How messages of the input topic are read; None: in the service's form."""
        return self.source.mapping if self.source else None

    @property
    def _topics(self) -> TopicNames:
        return topic_names(self.org_id, self.source)

    @property
    def _is_offline(self) -> bool:
        return self.spec.message_channel is MessageChannel.OFFLINE


def checkpoint_key(job: JobIdentity) -> str:
    """Path of a job's checkpoint below the volume's root."""
    return f"{job.namespace}/{job.name}/{job.uid}/{job.epoch}"
