"""Which topics a job reads, and what becomes of those that a micro-batch has planned and that are read no more."""

import json
from pathlib import Path
from typing import Any

from streamjob_api.job_file import JobFile
from streamjob_runtime.input_topics import input_topics
from streamjob_runtime.offsets import OffsetRange
from streamjob_runtime.reading import reduction_of
from streamjob_runtime.shards import Shards
from streamjob_runtime.source import PointsReader, ReadTask

NOW = 1_767_225_600_000
RAW, RESULTS = "MEASURE_POINT_ORIGIN_o", "MEASURE_POINT_CAL_o"
POWER, RATIO = "M::Power", "M::Ratio"


def job_file(**more: Any) -> JobFile:
    policy = {"triggerPoint": POWER, "logic": f"${{{POWER}}} * ${{{RATIO}}}", "output": "M::Out"}
    merging = {"trigger": {"mode": "Point"}, "policies": [policy]}
    document = {
        "job": {
            "namespace": "ou",
            "name": "job",
            "uid": "u",
            "created": "2026-01-01T00:00:00Z",
            "attempt": 1,
            "epoch": 0,
            "generation": 1,
        },
        "orgId": "o",
        "spec": {"template": {"name": "multi-point-merging", "version": "1.0"}, "multiPointMerging": merging},
        "kafka": {"bootstrapServers": "127.0.0.1:1"},
    }
    return JobFile.model_validate(document | more)


def record(point: str) -> bytes:
    named = {"orgId": "o", "modelId": "M", "assetId": "a", "pointId": point, "time": NOW - 1000, "value": 1.0}
    return json.dumps(named).encode()


def test_each_input_is_read_from_its_own_topic() -> None:
    assert input_topics(job_file()).keys() == {RAW}
    assert input_topics(job_file(calculated=[POWER])).keys() == {RAW, RESULTS}
    assert input_topics(job_file(calculated=[POWER, RATIO])).keys() == {RESULTS}


def test_an_attribute_comes_through_no_topic() -> None:
    names = {"attributes": [RATIO]}
    assert input_topics(job_file(calculated=[POWER], names=names)).keys() == {RESULTS}
    (raw,) = input_topics(job_file(names=names)).values()
    assert (raw.name, set(map(str, raw.points))) == (RAW, {POWER})


def test_what_was_planned_of_a_topic_that_is_read_no_more_is_read_and_unused(tmp_path: Path) -> None:
    job = job_file(scratchDir=str(tmp_path))
    reader = PointsReader(job.model_dump_json(), Shards.of(4))
    planned = reader.partitions({RESULTS: {"0": 3}}, {RESULTS: {"0": 5}, "now": NOW})
    assert planned == [ReadTask([OffsetRange(RESULTS, 0, 3, 5)], NOW)]
    reduction = reduction_of(job, Shards.of(4), RESULTS, NOW)
    assert reduction.add([record("Power"), record("Ratio")]).malformed.is_empty()
    reduced = reduction.finish()
    assert (reduced.blocks, reduced.counts["unused"]) == ({}, 2)
