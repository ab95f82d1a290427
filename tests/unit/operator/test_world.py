"""The cache: what is worth a turn, and what is forgotten."""

from __future__ import annotations

from streamjob_operator.observed import JobKey, Manifest
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, job_manifest

KEY = JobKey("ou", "extremes")


def body(version: str = "10", **more: object) -> Manifest:
    manifest = job_manifest() | more
    return manifest | {"metadata": manifest["metadata"] | {"resourceVersion": version}}


def pod_body(uid: str = "pod-1", phase: str = "Running") -> Manifest:
    meta = {
        "name": "extremes-1-driver",
        "namespace": "ou",
        "uid": uid,
        "creationTimestamp": "2026-01-31T11:00:00Z",
        "labels": {"streamjob.dev/job": "extremes"},
    }
    return {"metadata": meta, "status": {"phase": phase}}


def test_an_own_status_write_that_comes_back_is_no_news() -> None:
    world = World(CATALOGUE)
    assert world.see_job(body())
    written = body("11", status={"attempt": 1, "phase": "Starting"})
    assert world.see_job(written)
    assert not world.see_job(written)


def test_a_label_or_another_field_manager_is_no_news() -> None:
    world = World(CATALOGUE)
    world.see_job(body())
    touched = body("12")
    touched["metadata"] |= {"labels": {"team": "a"}, "managedFields": [{"manager": "argocd"}]}
    assert not world.see_job(touched)
    job = world.job(KEY)
    assert job
    assert job.resource_version == "12"


def test_an_event_older_than_a_live_read_changes_nothing() -> None:
    world = World(CATALOGUE)
    world.see_job(body("20", status={"attempt": 2}))
    assert not world.see_job(body("19", status={"attempt": 1}))
    job = world.job(KEY)
    assert job
    assert job.status.attempt == 2


def test_a_status_that_another_hand_changed_is_news() -> None:
    world = World(CATALOGUE)
    world.see_job(body("10", status={"attempt": 1}))
    assert world.see_job(body("11", status={}))


def test_a_recreated_pod_is_not_forgotten_with_the_former_one() -> None:
    world = World(CATALOGUE)
    world.see_pod(pod_body("former"))
    assert world.see_pod(pod_body("new"))
    world.lose_pod(KEY, "extremes-1-driver", "former")
    assert [pod.uid for pod in world.pods(KEY)] == ["new"]
    world.lose_pod(KEY, "extremes-1-driver", "new")
    assert world.pods(KEY) == ()


def test_what_a_listing_no_longer_shows_is_forgotten() -> None:
    world = World(CATALOGUE)
    world.see_job(body())
    world.see_pod(pod_body())
    assert world.forget(None, {"pod-1"}) == [KEY]
    assert world.pods(KEY) == ()
    assert world.job(KEY)


def test_a_pod_with_the_label_but_odd_values_is_read() -> None:
    world = World(CATALOGUE)
    odd = pod_body()
    odd["metadata"]["labels"] |= {"streamjob.dev/attempt": "many"}
    odd["metadata"]["annotations"] = {"streamjob.dev/cu": "lots"}
    world.see_pod(odd)
    (pod,) = world.pods(KEY)
    assert (pod.attempt, pod.cu, pod.job_uid) == (0, 0, "")
