"""What the check of an OU's connections is told, and what it says: one short pod asks Kafka and Redis once."""

from pydantic import ConfigDict, Field

from streamjob_api.base import ApiModel
from streamjob_api.connections import Kafka, Redis

# The check pod's order, as JSON.
ENVIRONMENT = "STREAMJOB_CHECK"
# Reasons that both the check and drivers give; those of other faults are the runtime's own.
SECRET_MISSING = "SecretMissing"  # noqa: S105 (a word for conditions)


class CheckOrder(ApiModel):
    """What is to be asked."""

    org_id: str
    kafka: Kafka
    topic: str = Field(description="Whose metadata is asked for: what devices send comes through it.")
    redis: Redis | None = None


class Answer(ApiModel):
    """Whether a connection works."""

    model_config = ConfigDict(extra="ignore")

    reachable: bool
    reason: str = Field(max_length=64, description="One word: Reachable, KafkaUnreachable, RedisDenied, ...")
    message: str = Field(default="", max_length=1024)


class CheckWords(ApiModel):
    """The termination message of a check."""

    model_config = ConfigDict(extra="ignore")

    kafka: Answer
    redis: Answer | None = None
