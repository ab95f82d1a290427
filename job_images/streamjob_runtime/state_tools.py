"""``python -m streamjob_runtime.state_tools JOB_FILE REQUEST...``: looks at a job's checkpoint, or edits it.

Runs in a short pod that mounts what the job's driver mounts. Answers are JSON lines on standard output
(``streamjob_api.checkpoint_tools``), the last of which says that the call was carried out, or why it was refused.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from streamjob_api.checkpoint_tools import (
    MAX_COMBINATIONS,
    Action,
    Answer,
    Done,
    HeldRow,
    PendingEdit,
    Target,
    ToolRequest,
    from_arguments,
)
from streamjob_api.job_file import KAFKA_AUTH_DIR, JobFile
from streamjob_api.points import PointRef
from streamjob_runtime.checkpoint import layout_of
from streamjob_runtime.checkpoint_lock import held_by_tool
from streamjob_runtime.edits import Edit, EditsFile
from streamjob_runtime.faults import RuntimeFault
from streamjob_runtime.input_topics import input_topics
from streamjob_runtime.job_reading import read_job
from streamjob_runtime.job_template import template_of
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.logs import log_as_json
from streamjob_runtime.marker import Marker
from streamjob_runtime.offset_log import OffsetLog, Standing
from streamjob_runtime.offset_reset import Brokers, Refused, destination, reset, rows
from streamjob_runtime.offsets import StreamOffset, edits_of
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.topic_offsets import KafkaAway, TopicOffsets

_KAFKA_TRIES = 3


def answers(job: JobFile, request: ToolRequest) -> Iterator[Answer]:
    """Carry out a request.

    Raises:
        Refused: it cannot be carried out; nothing has changed.
        RuntimeFault: the checkpoint cannot be read, or another attempt has it.
        KafkaAway: the brokers do not say what is needed.
    """
    if not Path(job.checkpoint_path).is_dir():
        raise Refused(
            f"there is no checkpoint at {job.checkpoint_path}: the job has not run since its state was dropped"
        )
    match request.action:
        case Action.SHOW_OFFSETS:
            yield from _show_offsets(job)
        case Action.RESET_OFFSETS:
            yield from _reset_offsets(job, request)
        case Action.SHOW_STATE:
            yield from _show_state(job, request)
        case Action.FORGET_STATE:
            yield from _forget_state(job, request)


def _show_offsets(job: JobFile) -> Iterator[Answer]:
    standing = OffsetLog(job).standing()
    offset, note = _begun(standing), ""
    try:
        brokers = _brokers(job, None)
    except KafkaAway as away:
        brokers, note = None, f"without the topics' ends: {away}"
    found = rows(offset, brokers)
    yield from (Answer(offset=row) for row in found)
    yield Answer(done=Done(rows=len(found), batch_id=standing.batch_id, note=note))


def _reset_offsets(job: JobFile, request: ToolRequest) -> Iterator[Answer]:
    target = request.to or Target()
    brokers = _brokers(job, target.time)
    with _alone(job):
        log = OffsetLog(job)
        standing = log.standing()
        offset, to = _begun(standing), destination(target, brokers)
        after = reset(offset, to, brokers)
        if not request.only_try:
            log.move(after)
    found = rows(offset, brokers, to)
    yield from (Answer(offset=row) for row in found)
    yield Answer(done=Done(rows=len(found), batch_id=standing.batch_id))


def _show_state(job: JobFile, request: ToolRequest) -> Iterator[Answer]:
    standing, chosen, count = OffsetLog(job).standing(), _chosen(job, request), 0
    pending = EditsFile(job).pending(edits_of(standing.offset or {}))
    yield from (Answer(pending=_told(edit)) for edit in pending)
    if standing.batch_id >= 0:
        forgotten = [Chosen.of(edit.assets, map(PointRef.parse, edit.points)) for edit in pending]
        inputs = template_of(job).inputs
        for row in _held(job, chosen):
            is_pending = any(_is_of(one, row, inputs) for one in forgotten)
            yield Answer(held=row.model_copy(update={"pending": is_pending}))
            count += 1
    yield Answer(done=Done(rows=count, batch_id=standing.batch_id))


def _is_of(chosen: Chosen, row: HeldRow, inputs: frozenset[PointRef]) -> bool:
    """Whether a row goes with what is chosen; what is held of an asset as a whole goes with the last of its points."""
    points = {PointRef.parse(row.point)} if row.point else inputs
    return points <= chosen.points and chosen.has(row.asset)


def _held(job: JobFile, chosen: Chosen) -> Iterator[HeldRow]:
    from streamjob_runtime.spark_session import start_session  # noqa: PLC0415 (all else needs no Spark)
    from streamjob_runtime.state_reading import read_stores  # noqa: PLC0415

    Path(job.scratch_dir).mkdir(parents=True, exist_ok=True)  # the JVM's folder for its own libraries
    template, series = template_of(job), set()
    layout = layout_of(job)
    session = start_session(job.model_copy(update={"executors": None}), layout.partitions)
    for store in read_stores(session, job, layout.keys, chosen):
        for row in template.held(store, chosen):
            series.add((row.asset, row.point))
            if len(series) > MAX_COMBINATIONS:
                raise Refused(f"more than {MAX_COMBINATIONS:,} assets and points are held; name fewer")
            yield HeldRow(asset=row.asset, point=row.point, kind=row.kind, fields=row.fields)


def _forget_state(job: JobFile, request: ToolRequest) -> Iterator[Answer]:
    chosen = _chosen(job, request)
    with _alone(job):
        standing = OffsetLog(job).standing()
        edits, taken_up = EditsFile(job), edits_of(standing.offset or {})
        edits.add(request.assets, chosen.points, time.time_ns() // 1_000_000, taken_up)
        pending = edits.pending(taken_up)
    yield from (Answer(pending=_told(edit)) for edit in pending)
    yield Answer(done=Done(rows=0, batch_id=standing.batch_id))


def _chosen(job: JobFile, request: ToolRequest) -> Chosen:
    inputs = template_of(job).inputs
    points = frozenset(request.points) or inputs
    if unknown := sorted(points - inputs):
        raise Refused(
            f"the job does not read {' and '.join(map(str, unknown))}; it reads {', '.join(map(str, sorted(inputs)))}"
        )
    if len(request.assets) * len(points) > MAX_COMBINATIONS:
        raise Refused(
            f"{len(request.assets):,} assets times {len(points)} points are more than {MAX_COMBINATIONS:,}; name fewer"
        )
    return Chosen.of(request.assets, points)


def _begun(standing: Standing) -> StreamOffset:
    if standing.offset is None:
        raise Refused("the job has not begun to read yet: spec.startFrom decides where it does")
    return standing.offset


def _told(edit: Edit) -> PendingEdit:
    return PendingEdit(
        assets=list(edit.assets),
        points=list(map(PointRef.parse, edit.points)),
        at=datetime.fromtimestamp(edit.at_ms / 1000, UTC),
    )


@contextmanager
def _alone(job: JobFile) -> Iterator[None]:
    """No driver may run or start meanwhile; a start waits."""
    with held_by_tool(job) as is_held:
        if not is_held:
            raise Refused("a driver of the job runs, or another tool is at work; pause the job and try again")
        Marker.of(job).check()
        yield


def _brokers(job: JobFile, time_asked: datetime | None) -> Brokers:
    settings = client_settings(job.kafka, Path(KAFKA_AUTH_DIR), "streamjob-tool")
    topics = TopicOffsets(settings, input_topics(job).keys())
    for attempt in range(_KAFKA_TRIES):
        try:
            at = topics.at(round(time_asked.timestamp() * 1000)) if time_asked else {}
            return Brokers(topics.earliest(topics.partitions()), topics.latest(), at, topics.topic_ids())
        except KafkaAway:
            topics.forget()
            if attempt == _KAFKA_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def main(arguments: list[str]) -> int:
    """Read the job and the request, and answer."""
    log_as_json()
    try:
        job = read_job(Path(arguments[0]))
        for answer in answers(job, from_arguments(arguments[1:])):
            _say(answer)
    except Refused as refused:
        _say(Answer(refused=str(refused)))
    except RuntimeFault as fault:
        _say(Answer(refused=fault.message))
    except KafkaAway as away:
        _say(Answer(refused=str(away)))
    return 0


def _say(answer: Answer) -> None:
    print(answer.model_dump_json(exclude_none=True), flush=True)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # whatever threads of libraries still run
