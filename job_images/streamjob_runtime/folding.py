"""What becomes of one shard's rows: the job's template folds them into the shard's state."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache

from streamjob_api.job_file import JobFile
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.edits import chosen_of
from streamjob_runtime.job_template import template_of
from streamjob_runtime.rows import FIRST, BlockRow, Kind, counts_row
from streamjob_runtime.templates import Folded, ShardStore, Template

_FOLDED = {Kind.POINTS, Kind.TICK, Kind.FORGET}


@lru_cache(maxsize=4)
def cached_template(job_json: str) -> Template:
    """The template of a job file; what it keeps of its assets lives from one micro-batch to the next."""
    return template_of(JobFile.model_validate_json(job_json))


def folded(template: Template, store: ShardStore, rows: Iterable[BlockRow]) -> Iterator[BlockRow]:
    """What one shard's rows give: results, counts and the shard's deadline; other rows pass through."""
    own: dict[int, list[BlockRow]] = {kind: [] for kind in _FOLDED}
    for row in rows:
        if row.kind in own:
            own[row.kind].append(row)
        else:
            yield row._replace(block=bytes(row.block))
    # What is to be forgotten goes first: the records of the micro-batch begin afresh.
    for row in own[Kind.FORGET]:
        yield from _forgotten(template, store, row)
    points = sorted(own[Kind.POINTS], key=lambda row: row.origin)
    if points:
        blocks = [from_bytes(bytes(row.block)) for row in points]
        yield from _rows(template, template.fold(store, blocks, points[0].now), points[0])
    # What is due at a micro-batch's time, a fold with blocks has done already. What forgets names its deadline anew.
    for tick in own[Kind.TICK] or own[Kind.FORGET]:
        if not points or bytes(tick.block) == FIRST:
            yield from _rows(template, template.fold(store, [], tick.now), tick)


def _forgotten(template: Template, store: ShardStore, row: BlockRow) -> Iterator[BlockRow]:
    for chosen in chosen_of(bytes(row.block)):
        for kind, frame in template.forget(store, chosen, row.now).items():
            yield BlockRow(row.shard, kind, "", row.now, to_bytes(frame))


def _rows(template: Template, outcome: Folded, cause: BlockRow) -> Iterator[BlockRow]:
    shard, now_ms = cause.shard, cause.now
    if outcome.results.height:
        yield BlockRow(shard, Kind.RESULTS, "", now_ms, to_bytes(outcome.results))
    for kind, frame in outcome.beside.items():
        yield BlockRow(shard, kind, "", now_ms, to_bytes(frame))
    if outcome.counts:
        yield counts_row(shard, "", now_ms, outcome.counts)
    if template.uses_clock:
        yield BlockRow(shard, Kind.DEADLINE, "", now_ms, json.dumps(outcome.deadline).encode())
