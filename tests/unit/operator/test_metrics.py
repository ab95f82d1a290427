"""What ``/metrics`` says, read as Prometheus reads it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

from prometheus_client import generate_latest

from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.metrics import Metrics, Reading
from streamjob_operator.observed import JobKey, Key
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, job, job_manifest, pod

KEY = JobKey("ou", "extremes")
READY = {
    "type": "Ready",
    "status": "False",
    "reason": "ImagePullFailed",
    "message": "",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-31T11:00:00Z",
}


def metrics_of(world: World) -> Metrics:
    return Metrics(world, KeyQueue[Key]())


def text(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def jobs_of(world: World, number: int) -> None:
    for each in range(number):
        manifest = job_manifest()
        meta = manifest["metadata"] | {"name": f"job-{each}", "uid": f"uid-{each}", "resourceVersion": "1"}
        status = {"conditions": [READY], "restarts": {"total": 3}}
        world.see_job(manifest | {"metadata": meta, "status": status})


def test_metrics_of_what_is_gone_are_gone() -> None:
    world = World(CATALOGUE)
    jobs_of(world, 1)
    metrics = metrics_of(world)
    before = text(metrics)
    assert 'jobs_by_reason{namespace="ou",ready="False",reason="ImagePullFailed"} 1.0' in before
    assert 'job_restarts_total{job="job-0",namespace="ou"} 3.0' in before
    world.lose_job(JobKey("ou", "job-0"), "uid-0")
    after = text(metrics)
    assert "ImagePullFailed" not in after
    assert "job-0" not in after


def test_the_operators_part_of_a_start_is_told_apart_from_the_clusters() -> None:
    metrics, of = metrics_of(World(CATALOGUE)), job()
    created = of.created + timedelta(seconds=3)
    young = replace(pod(of, ready=False, created=created), ready_since=None)
    ready = replace(young, ready=True, ready_since=created + timedelta(seconds=40))
    metrics.saw_pod(of, None, young)
    metrics.saw_pod(of, young, ready)
    metrics.saw_pod(of, ready, ready)
    told = text(metrics)
    assert "streamjob_operator_job_to_pod_seconds_sum 3.0" in told
    assert "streamjob_operator_job_to_pod_seconds_count 1.0" in told
    assert "streamjob_operator_pod_to_ready_seconds_sum 40.0" in told
    assert "streamjob_operator_pod_to_ready_seconds_count 1.0" in told


def test_a_restart_is_no_start_of_a_job() -> None:
    metrics, of = metrics_of(World(CATALOGUE)), job()
    metrics.saw_pod(of, None, pod(of, attempt=2, ready=False))
    assert "streamjob_operator_job_to_pod_seconds_count 0.0" in text(metrics)


async def test_the_queue_tells_how_long_its_first_key_waits() -> None:
    world = World(CATALOGUE)
    metrics = metrics_of(world)
    metrics.queue.add(KEY)
    await asyncio.sleep(0.05)
    told = dict(line.split(" ") for line in text(metrics).splitlines() if not line.startswith("#"))
    assert told["streamjob_operator_queue_length"] == "1.0"
    assert float(told["streamjob_operator_queue_age_seconds"]) >= 0.05


def test_numbers_with_labels_and_without_are_told_as_prometheus_wants_them() -> None:
    metrics = metrics_of(World(CATALOGUE))
    answers = {("GET", "200"): 5.0, ("POST", "429"): 1.0}
    metrics.read(lambda: [Reading("counter", "api_answers", "Answers.", answers, ("verb", "status"))])
    metrics.turn("job", time.monotonic())
    told = text(metrics)
    assert 'streamjob_operator_api_answers_total{status="429",verb="POST"} 1.0' in told
    assert 'streamjob_operator_turn_seconds_count{kind="job"} 1.0' in told


def test_jobs_are_told_by_reason_and_not_one_by_one() -> None:
    world = World(CATALOGUE)
    jobs_of(world, 500)
    lines = [line for line in text(metrics_of(world)).splitlines() if "jobs_by_reason{" in line]
    assert lines == ['streamjob_operator_jobs_by_reason{namespace="ou",ready="False",reason="ImagePullFailed"} 500.0']
