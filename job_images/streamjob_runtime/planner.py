"""Planning micro-batches: asks the brokers what there is and decides what is read next; waits while they are away."""

import time
from collections.abc import Callable
from pathlib import Path

from streamjob_api.job_file import KAFKA_AUTH_DIR, JobFile
from streamjob_api.lifecycle import StartMode
from streamjob_runtime.checkpoint_files import InitialOffset
from streamjob_runtime.consumers import TO_START_AFRESH
from streamjob_runtime.faults import OffsetsLost
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.marker import Marker
from streamjob_runtime.memory import memory_of
from streamjob_runtime.offsets import StreamOffset, credit, next_offset, positions, stream_offset
from streamjob_runtime.stopping import is_stop_asked
from streamjob_runtime.topic_offsets import KafkaAway, Offsets, TopicOffsets
from streamjob_runtime.waiting import Interrupted

# A partition may seem to end too early while its leadership moves; only what stays so is a loss.
_BEHIND_SECONDS = 15.0
_RETRY_SECONDS = 1.0


class Planner:
    """Decides the offsets of one job's micro-batches."""

    def __init__(self, job: JobFile, topic_offsets: TopicOffsets | None = None) -> None:
        self._job = job
        self._topic = job.input_topic
        self._offsets = topic_offsets or TopicOffsets(
            client_settings(job.kafka, Path(KAFKA_AUTH_DIR), "streamjob-planner"), self._topic
        )
        self._marker = Marker.of(job)
        self._most = memory_of(job.spec.resources.driver_cu).messages_per_batch
        self._behind_since: float | None = None

    def initial(self) -> StreamOffset:
        """Where the job's first micro-batch begins; waits for the brokers.

        Spark asks again for as long as that micro-batch is not committed, so the answer is kept beside its log: data
        that comes between two such starts must not be skipped.
        """
        kept = InitialOffset(self._job)
        while (offset := kept.read()) is None:
            try:
                kept.write(stream_offset(self._topic, self._start_offsets()))
            except KafkaAway:
                self._offsets.forget()
                if is_stop_asked(self._job.scratch_dir):
                    raise Interrupted from None
                time.sleep(_RETRY_SECONDS)
        return offset

    def _start_offsets(self) -> Offsets:
        start = self._job.spec.start_from
        if start.time is not None:
            return self._offsets.at(round(start.time.timestamp() * 1000))
        if start.mode is StartMode.EARLIEST:
            return self._offsets.earliest(self._offsets.partitions())
        return self._offsets.latest()

    def next(self, start: StreamOffset, now_ms: int) -> StreamOffset:
        """Where the micro-batch that begins at ``start`` ends; ``start`` when there is nothing to do.

        Raises:
            Fenced: a later attempt runs this job.
            OffsetsLost: the topic ends before ``start``.
        """
        if is_stop_asked(self._job.scratch_dir):
            return start
        try:
            end = self._end(start, now_ms)
        except KafkaAway:
            self._offsets.forget()
            return start
        if end != start:
            self._marker.check()
        return end

    def _end(self, start: StreamOffset, now_ms: int) -> StreamOffset:
        latest = self._offsets.latest()
        self._refuse_loss(start, latest)
        unknown = [partition for partition in latest if partition not in positions(start, self._topic)]
        limit = credit(self._job.spec.rate_limit, start, now_ms, self._most)
        return next_offset(start, self._topic, latest, self._offsets.earliest(unknown), limit, now_ms)

    def _refuse_loss(self, start: StreamOffset, latest: Offsets, clock: Callable[[], float] = time.monotonic) -> None:
        behind = {p: at for p, at in positions(start, self._topic).items() if latest.get(p, 0) < at}
        if not behind:
            self._behind_since = None
            return
        self._behind_since = clock() if self._behind_since is None else self._behind_since
        if clock() - self._behind_since > _BEHIND_SECONDS:
            partition, position = next(iter(behind.items()))
            raise OffsetsLost(
                f"partition {partition} of topic {self._topic} ends at offset {latest.get(partition, 0)}, before "
                f"{position}, which is to be read next: the topic was created anew; {TO_START_AFRESH}"
            )
        raise KafkaAway("OffsetsBehind", f"topic {self._topic} ends before the offsets that are to be read next")

    def latest(self) -> StreamOffset | None:
        """The ends of the partitions, for Spark's own report of its lag."""
        try:
            return stream_offset(self._topic, self._offsets.latest())
        except KafkaAway:
            return None
