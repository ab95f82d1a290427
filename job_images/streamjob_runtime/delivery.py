"""A micro-batch's way out: results to Kafka and Redis, then dead letters; every write can be repeated."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
from pyspark.sql import DataFrame

from streamjob_api.job_file import JobFile
from streamjob_runtime.accounts import Accounts
from streamjob_runtime.beside_results import BesideResults
from streamjob_runtime.blocks import from_bytes
from streamjob_runtime.deadline_file import DeadlineFile
from streamjob_runtime.deadlines import KnownDeadlines
from streamjob_runtime.job_template import template_of
from streamjob_runtime.kafka_results import Headers, Outgoing
from streamjob_runtime.marker import Marker
from streamjob_runtime.recent_results import RecentResults
from streamjob_runtime.records import encode, latest
from streamjob_runtime.rows import Kind, added_up
from streamjob_runtime.sinks.dead_letters import DeadLetters
from streamjob_runtime.sinks.kafka import KafkaSink, producer_settings
from streamjob_runtime.sinks.redis import LatestValues, connect
from streamjob_runtime.templates.protocols import TOPIC
from streamjob_runtime.waiting import Waits

REVISION_HEADER = "streamjob-revision"


def revision(job: JobFile, batch_id: int) -> str:
    """Orders all writes of a result: creation of the job's object in epoch seconds, attempt, batch id."""
    return f"{int(job.job.created.timestamp())}.{job.job.attempt}.{batch_id}"


class Delivery:
    """Writes micro-batches, in the driver's main process; called by Spark with each of them, in order."""

    def __init__(self, job: JobFile, shards: int, waits: Waits, accounts: Accounts, recent: RecentResults) -> None:
        self._job = job
        self._marker = Marker.of(job)
        self._kafka = KafkaSink(producer_settings(job.kafka), waits)
        redis = connect(job.redis) if job.redis else None
        self._redis = LatestValues(redis, job.org_id, waits) if redis else None
        self._beside = BesideResults(job, shards, redis, waits)
        self._dead_letters = DeadLetters(self._kafka, job.dead_letter_topic, f"{job.job.namespace}/{job.job.name}")
        self._accounts = accounts
        self._recent = recent
        self._deadlines = KnownDeadlines(DeadlineFile(job.scratch_dir), shards, uses_clock=template_of(job).uses_clock)
        self.busy_since: float | None = None
        self.failure: BaseException | None = None

    def __call__(self, frame: DataFrame, batch_id: int) -> None:
        """Write one micro-batch; its failure is kept, for Spark hands on only its text."""
        self.busy_since = time.monotonic()
        try:
            self._deliver(frame, batch_id)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self.busy_since = None

    def _deliver(self, frame: DataFrame, batch_id: int) -> None:
        rows = frame.select("shard", "kind", "block").collect()
        blocks = {kind: [bytes(row.block) for row in rows if row.kind == kind] for kind in Kind}
        beside, own_revision = self._beside.take(rows), revision(self._job, batch_id)
        self._marker.check()
        given = [*blocks[Kind.RESULTS], *beside.results]
        written = self._write_results(Results(given, self._job.org_id, own_revision))
        for topic in self._job.spec.block.topics_written():
            written += self._write_to(topic, Results(given, self._job.org_id, own_revision, topic))
        self._beside.write(beside, own_revision)
        self._dead_letters.write([from_bytes(block) for block in blocks[Kind.DEAD_LETTERS]])
        self._deadlines.add({row.shard: json.loads(bytes(row.block)) for row in rows if row.kind == Kind.DEADLINE})
        self._marker.check()
        self._accounts.pend(batch_id, added_up(blocks[Kind.COUNTS]) | {"out": 0, **+written})

    def _write_results(self, results: "Results") -> Counter[str]:
        """All to Kafka, then the newest of each asset and point to Redis."""
        written = self._write_to(self._job.output_topic, results)
        if results.newest:
            newest = pl.concat(results.newest)
            if self._redis:
                self._redis.write(newest, results.revision)
            self._recent.add(newest)
        return written

    def _write_to(self, topic: str, results: "Results") -> Counter[str]:
        """All to a topic; what came of them, counted."""
        if not results.blocks:
            return Counter()
        too_large = len(self._kafka.write(topic, results.messages))
        return Counter({"out": results.count - too_large, "refused.ResultTooLarge": too_large})


@dataclass
class Results:
    """A micro-batch's results of one topic, encoded block by block: all of them at once could take much memory.

    Attributes:
        blocks: of the results of all topics.
        topic: a topic of their own; None: the job's.
    """

    blocks: Sequence[bytes]
    org_id: str
    revision: str
    topic: str | None = None
    newest: list[pl.DataFrame] = field(default_factory=list)
    count: int = 0

    def messages(self) -> Iterator[Outgoing]:
        """Every result as a message, a block at a time; ``newest`` and ``count`` are filled on the way."""
        self.newest, self.count = [], 0
        headers: Headers = [(REVISION_HEADER, self.revision.encode())]
        for block in self.blocks:
            results = self._of_topic(from_bytes(block))
            if results.is_empty():
                continue
            encoded = encode(results, self.org_id)
            self.newest.append(latest(encoded))
            self.count += encoded.height
            yield Outgoing(encoded["asset"], encoded["record"], encoded["time"], headers)

    def _of_topic(self, results: pl.DataFrame) -> pl.DataFrame:
        if TOPIC not in results.columns:
            return results if self.topic is None else results.clear()
        return results.filter(pl.col(TOPIC).eq_missing(pl.lit(self.topic, pl.String)))
