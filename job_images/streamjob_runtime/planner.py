"""Planning micro-batches: asks the brokers what there is and decides what is read next; waits while they are away."""

import time
from collections.abc import Callable, Set
from pathlib import Path

from streamjob_api.job_file import KAFKA_AUTH_DIR, JobFile
from streamjob_api.lifecycle import StartMode
from streamjob_runtime.checkpoint_files import InitialOffset
from streamjob_runtime.deadline_file import DeadlineFile, due
from streamjob_runtime.edits import EditsFile
from streamjob_runtime.faults import TO_GO_ON, OffsetsLost
from streamjob_runtime.input_topics import input_topics
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.marker import Marker
from streamjob_runtime.memory import messages_per_batch
from streamjob_runtime.offsets import (
    Holdings,
    Offsets,
    StreamOffset,
    credit,
    next_offset,
    positions,
    stream_offset,
    topic_ids,
)
from streamjob_runtime.stopping import is_stop_asked
from streamjob_runtime.topic_offsets import KafkaAway, TopicOffsets
from streamjob_runtime.waiting import Interrupted

# A partition may seem to end too early while its leadership moves; only what stays so is a loss.
_BEHIND_SECONDS = 15.0
_RETRY_SECONDS = 1.0


class Planner:
    """Decides the offsets of one job's micro-batches."""

    def __init__(self, job: JobFile, topic_offsets: TopicOffsets | None = None) -> None:
        self._job = job
        self._topics = input_topics(job).keys()
        self._offsets = topic_offsets or TopicOffsets(
            client_settings(job.kafka, Path(KAFKA_AUTH_DIR), "streamjob-planner"), self._topics
        )
        self._marker = Marker.of(job)
        self._deadlines = DeadlineFile(job.scratch_dir)
        # Nobody adds one while a driver runs (``checkpoint_lock``).
        self._last_edit = EditsFile(job).last
        self._most = messages_per_batch(job.spec.resources)
        self._behind_since: float | None = None

    def initial(self) -> StreamOffset:
        """Where the job's first micro-batch begins; waits for the brokers.

        Spark asks again for as long as that micro-batch is not committed, so the answer is kept beside its log: data
        that comes between two such starts must not be skipped.
        """
        kept = InitialOffset(self._job)
        while (offset := kept.read()) is None:
            try:
                kept.write(stream_offset(self._start_offsets(self._topics), self._offsets.topic_ids()))
            except KafkaAway:
                self._offsets.forget()
                if is_stop_asked(self._job.scratch_dir):
                    raise Interrupted from None
                time.sleep(_RETRY_SECONDS)
        return offset

    def _start_offsets(self, topics: Set[str]) -> Offsets:
        """Where topics begin that the job has not read before."""
        start = self._job.spec.start_from
        if not topics:
            return {}
        if start.time is not None:
            offsets = self._offsets.at(round(start.time.timestamp() * 1000))
        elif start.mode is StartMode.EARLIEST:
            offsets = self._offsets.earliest(self._offsets.partitions())
        else:
            offsets = self._offsets.latest()
        return {place: offset for place, offset in offsets.items() if place.topic in topics}

    def next(self, start: StreamOffset, now_ms: int) -> StreamOffset:
        """Where the micro-batch that begins at ``start`` ends; ``start`` when there is nothing to do.

        Raises:
            Fenced: a later attempt runs this job.
            OffsetsLost: a topic ends before ``start``, or is another one by now.
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
        self._refuse_other_topics(start)
        self._refuse_loss(start, latest)
        holdings = Holdings(latest, self._new_places(start, latest), self._offsets.topic_ids())
        limit = credit(self._job.spec.rate_limit, start, now_ms, self._most)
        return next_offset(start, holdings, limit, now_ms, due(self._deadlines.read(), now_ms), self._last_edit)

    def _new_places(self, start: StreamOffset, latest: Offsets) -> Offsets:
        """Where partitions begin that ``start`` does not know: those of a topic that it knows at their beginning."""
        known = positions(start)
        topics = {place.topic for place in known}
        added = [place for place in latest if place.topic in topics and place not in known]
        return self._offsets.earliest(added) | self._start_offsets(self._topics - topics)

    def _refuse_other_topics(self, start: StreamOffset) -> None:
        was = topic_ids(start)
        for topic, found in self._offsets.topic_ids().items():
            if was.get(topic, found) != found:
                raise OffsetsLost(
                    f"topic {topic} was deleted and created anew: what it held and was not read yet is gone; {TO_GO_ON}"
                )

    def _refuse_loss(self, start: StreamOffset, latest: Offsets, clock: Callable[[], float] = time.monotonic) -> None:
        known = {place: at for place, at in positions(start).items() if place.topic in self._topics}
        behind = {place: at for place, at in known.items() if latest.get(place, 0) < at}
        if not behind:
            self._behind_since = None
            return
        self._behind_since = clock() if self._behind_since is None else self._behind_since
        place, position = next(iter(behind.items()))
        topic, partition = place
        if clock() - self._behind_since > _BEHIND_SECONDS:
            raise OffsetsLost(
                f"partition {partition} of topic {topic} ends at offset {latest.get(place, 0)}, before {position}, "
                f"which is to be read next: the topic was created anew; {TO_GO_ON}"
            )
        raise KafkaAway("OffsetsBehind", f"topic {topic} ends before the offsets that are to be read next")

    def latest(self) -> StreamOffset | None:
        """The ends of the partitions, for Spark's own report of its lag."""
        try:
            return stream_offset(self._offsets.latest())
        except KafkaAway:
            return None
