"""The streaming query of a job: source, state, delivery; and what Spark says of it."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from streamjob_api.job_file import JobFile
from streamjob_runtime.report import QueryFacts
from streamjob_runtime.shards import Shards
from streamjob_runtime.source import JOB_OPTION, SHARDS_OPTION, SOURCE
from streamjob_runtime.stateful import with_state

_STOP_SECONDS = 15.0


def start_query(
    session: SparkSession, job: JobFile, shards: int, deliver: Callable[[DataFrame, int], None]
) -> StreamingQuery:
    """Start the query on the job's checkpoint."""
    source = session.readStream.format(SOURCE).option(JOB_OPTION, job.model_dump_json()).option(SHARDS_OPTION, shards)
    blocks = source.load()
    return (
        with_state(blocks, job, Shards.of(shards))
        .writeStream.foreachBatch(deliver)
        .outputMode("update")
        .queryName(f"{job.job.namespace}/{job.job.name}")
        .option("checkpointLocation", job.checkpoint_path)
        .trigger(processingTime=f"{job.spec.trigger_interval.milliseconds} milliseconds")
        .start()
    )


def facts(query: StreamingQuery, before: QueryFacts) -> QueryFacts:
    """What is known of the query now; an idle query's reports tell no more than that it is idle."""
    progress = query.lastProgress
    if progress is None:
        return before
    if "addBatch" not in progress["durationMs"]:
        return replace(before, end_offset=before.end_offset or _end_offset(progress))
    durations = {name: int(value) for name, value in progress["durationMs"].items()}
    return QueryFacts(
        batch_id=progress["batchId"],
        batch_duration_ms=durations.get("triggerExecution", 0),
        durations_ms=durations,
        last_batch_at=datetime.fromisoformat(progress["timestamp"]),
        end_offset=_end_offset(progress),
    )


def _end_offset(progress: Any) -> dict[str, Any]:
    offset = progress["sources"][0]["endOffset"] or progress["sources"][0]["startOffset"] or {}
    parsed: dict[str, Any] = json.loads(offset) if isinstance(offset, str) else offset
    return parsed


def account_of(query: StreamingQuery) -> str:
    """All that Spark says of why a query ended, causes included; empty while it runs."""
    error = query.exception()
    cause = getattr(error, "_cause", None)  # PySpark shows no causes in the exception's own text
    return "" if error is None else f"{error}\n{getattr(cause, '_stackTrace', '')}"


def stop_query(query: StreamingQuery) -> bool:
    """Stop the query; false when Spark does not manage to in time."""
    stopping = threading.Thread(target=query.stop, name="stop-query", daemon=True)
    stopping.start()
    stopping.join(_STOP_SECONDS)
    return not stopping.is_alive()
