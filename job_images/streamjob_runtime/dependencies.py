"""Whether Kafka and Redis answer: asked every few seconds, beside and independent of micro-batches."""

import threading
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from streamjob_api.job_file import KAFKA_AUTH_DIR, JobFile
from streamjob_runtime.input_topics import input_topics
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.offsets import Offsets
from streamjob_runtime.sinks.redis import connect, why_waiting
from streamjob_runtime.topic_offsets import KafkaAway, TopicOffsets
from streamjob_runtime.topics import check_topics
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Waits, longer

KAFKA, REDIS = "kafka", "redis"
_EVERY_SECONDS = 4.0


class Dependencies:
    """Watches what the job depends on and keeps the ends of its input topics."""

    def __init__(self, job: JobFile, waits: Waits) -> None:
        self._job = job
        self._waits = waits
        self._redis = connect(job.redis) if job.redis else None
        self._offsets = TopicOffsets(
            client_settings(job.kafka, Path(KAFKA_AUTH_DIR), "streamjob-watch"), input_topics(job)
        )
        self._stopped = threading.Event()
        self.latest: Offsets = {}

    def await_first(self) -> None:
        """Return once Kafka has the job's topics and Redis answers.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        pause = FIRST_PAUSE_SECONDS
        while not self._are_there():
            self._waits.pause(pause)
            pause = longer(pause)

    def _are_there(self) -> bool:
        try:
            check_topics(self._job)
        except KafkaAway as away:
            self._waits.report(KAFKA, away.reason, away.message)
            return False
        self._waits.clear(KAFKA)
        return self._redis is None or ping(self._redis, self._waits)

    def watch(self) -> None:
        """Keep looking, in a thread of its own."""
        threading.Thread(target=self._look_until_stopped, name="dependencies", daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()

    def _look_until_stopped(self) -> None:
        while not self._stopped.wait(_EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Ask both once."""
        try:
            self.latest = self._offsets.latest()
            self._waits.clear(KAFKA)
        except KafkaAway as away:
            self._offsets.forget()
            self._waits.report(KAFKA, away.reason, away.message)
        if self._redis is not None:
            ping(self._redis, self._waits)


def ping(client: Redis, waits: Waits) -> bool:
    """Whether Redis answers; a reason to wait when it does not."""
    try:
        client.ping()
    except (RedisError, OSError) as error:
        waits.report(REDIS, *why_waiting(error))
        return False
    waits.clear(REDIS)
    return True
