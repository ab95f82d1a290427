"""The runtime's own job of the benchmark is one that the operator would run."""

import json
from pathlib import Path

from benchmarks.runtime.contestant import Work
from benchmarks.runtime.contestants.streamjob import job_document
from benchmarks.runtime.contestants.streamjob_pod import planned, stream_job
from streamjob_api.job_file import JobFile

WORK = Work("10.0.0.1:9092", "o1", "MEASURE_POINT_ORIGIN_o1", "MEASURE_POINT_CAL_o1_1", Path("folder"))
IMAGE = "example.org/runtime:1"


def in_cluster() -> dict[str, object]:
    """The manifest as the API server returns it."""
    manifest = stream_job()
    given = {"uid": "u", "resourceVersion": "1", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {**manifest, "metadata": {**manifest["metadata"], **given}}


def test_the_pod_is_told_what_the_process_is_told() -> None:
    config_map, claim, pod = planned(in_cluster(), WORK, IMAGE)
    told = JobFile.model_validate(json.loads(config_map["data"]["job.json"]))
    process = JobFile.model_validate(job_document(WORK))
    assert told.spec == process.spec
    assert (told.kafka, told.source, told.org_id) == (process.kafka, process.source, process.org_id)
    assert (told.input_topic, told.output_topic) == (WORK.input_topic, WORK.output_topic)
    assert claim["kind"] == "PersistentVolumeClaim"
    (container,) = pod["spec"]["containers"]
    assert container["image"] == IMAGE
    assert container["resources"]["limits"] == {"cpu": "2000m", "memory": "4096Mi"}
