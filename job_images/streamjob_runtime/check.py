"""``python -m streamjob_runtime.check``: ask an OU's Kafka and Redis once, with the mounted secrets; no JVM, no Spark.

What is found is the last words. A connection that does not work is an answer, not a failure: the exit code is 0.
"""

import logging
import os
from pathlib import Path

from redis.exceptions import RedisError

from streamjob_api.check import ENVIRONMENT, SECRET_MISSING, Answer, CheckOrder, CheckWords
from streamjob_api.connections import Kafka, Redis
from streamjob_api.job_file import KAFKA_AUTH_DIR, REDIS_AUTH_DIR, TERMINATION_LOG
from streamjob_runtime import last_words
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.logs import log_as_json
from streamjob_runtime.sinks.redis import connect, latest_key, why_waiting
from streamjob_runtime.topic_offsets import KafkaAway, TopicOffsets

# A broker that was slow once is asked again; the pod has a minute.
_TRIES = 2
# Two of them fit the 4,096 bytes of a termination message, in any script.
_MAX_MESSAGE = 400
_log = logging.getLogger(__name__)


def check_kafka(kafka: Kafka, topic: str, auth_dir: Path = Path(KAFKA_AUTH_DIR)) -> Answer:
    """Ask the brokers for a topic's partitions."""
    if missing := _missing("spec.kafka.authSecret", kafka.auth_secret, auth_dir):
        return missing
    offsets = TopicOffsets(client_settings(kafka, auth_dir, "streamjob-check"), {topic})
    for _ in range(_TRIES):
        try:
            partitions = len(offsets.partitions())
        except KafkaAway as away:
            found = _of(away)
        else:
            return Answer(reachable=True, reason="Reachable", message=f"topic {topic} has {partitions} partitions")
        if found.reason != "KafkaUnreachable":
            break
    return found


def _of(away: KafkaAway) -> Answer:
    if away.reason == "TopicMissing":  # the brokers were reached, and know who asks
        return Answer(reachable=True, reason=away.reason, message=f"{away.message}; jobs wait for it")
    return Answer(reachable=False, reason=away.reason, message=away.message[:_MAX_MESSAGE])


def check_redis(redis: Redis, org_id: str, auth_dir: Path = Path(REDIS_AUTH_DIR)) -> Answer:
    """Ask Redis whether it is there, and read what nobody has written."""
    if missing := _missing("spec.redis.authSecret", redis.auth_secret, auth_dir):
        return missing
    try:
        client = connect(redis, auth_dir)
        client.ping()
        client.exists(latest_key(org_id, "streamjob-check"))
    except (RedisError, OSError, ValueError) as error:
        reason, message = why_waiting(error)
        return Answer(reachable=False, reason=reason, message=message[:_MAX_MESSAGE])
    return Answer(reachable=True, reason="Reachable", message="it answers")


def _missing(field: str, secret: str | None, auth_dir: Path) -> Answer | None:
    """A secret is mounted even where it does not exist, so that this can be said of it."""
    if secret is None or any(auth_dir.glob("[!.]*")):
        return None
    message = f"{field}: Secret {secret} does not exist or is empty; create it in the StreamResource's namespace"
    return Answer(reachable=False, reason=SECRET_MISSING, message=message)


def main() -> None:
    """Ask what the environment says, and leave the answer as last words."""
    log_as_json()
    order = CheckOrder.model_validate_json(os.environ[ENVIRONMENT])
    words = CheckWords(
        kafka=check_kafka(order.kafka, order.topic),
        redis=check_redis(order.redis, order.org_id) if order.redis else None,
    )
    _log.info("connections checked", extra={"found": words.model_dump(mode="json")})
    path = Path(os.environ.get(last_words.ENVIRONMENT) or TERMINATION_LOG)
    path.write_text(words.model_dump_json(by_alias=True))


if __name__ == "__main__":
    main()
