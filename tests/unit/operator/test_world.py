"""The cache: what is worth a turn, and what is forgotten."""

from __future__ import annotations

from streamjob_operator.departed import Departed
from streamjob_operator.observed import JobKey, Manifest
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, JOB_UID, job_manifest

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


def executor_body(uid: str = "executor-1", phase: str = "Running") -> Manifest:
    meta = {
        "name": "extremes-1-exec-1",
        "namespace": "ou",
        "uid": uid,
        "creationTimestamp": "2026-01-31T11:00:10Z",
        "labels": {"streamjob.dev/job": "extremes", "streamjob.dev/component": "executor"},
        "annotations": {"streamjob.dev/cu": "2", "streamjob.dev/job-uid": "job-1"},
        "ownerReferences": [{"uid": "pod-1", "controller": True}],
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


def test_executors_are_kept_apart_from_drivers() -> None:
    world = World(CATALOGUE)
    world.see_pod(pod_body())
    assert world.see_pod(executor_body())
    assert [pod.uid for pod in world.pods(KEY)] == [pod.uid for pod in world.pods_of_ou("ou")] == ["pod-1"]
    (executor,) = world.executors(KEY)
    assert world.executors_of_ou("ou") == [executor]
    assert (executor.job_uid, executor.owner_uid, executor.cu) == ("job-1", "pod-1", 2)


def test_an_executor_is_forgotten_alone_and_by_a_listing() -> None:
    world = World(CATALOGUE)
    world.see_pod(pod_body())
    world.see_pod(executor_body())
    assert world.known("ou") == {"pod-1", "executor-1"}
    world.lose_pod(KEY, "extremes-1-exec-1", "another")
    assert world.executors(KEY)
    assert world.forget("ou", {"executor-1"}) == [KEY]
    assert world.executors(KEY) == ()
    assert world.pods(KEY)


def test_a_live_read_replaces_drivers_and_executors() -> None:
    world = World(CATALOGUE)
    world.see_pod(pod_body())
    world.see_pod(executor_body("former"))
    world.see_pod(executor_body("new"))
    assert world.keep_pods(KEY, {"new"})
    assert world.pods(KEY) == ()
    assert [pod.uid for pod in world.executors(KEY)] == ["new"]


def test_an_answer_that_was_under_way_brings_nothing_back_that_is_gone() -> None:
    world = World(CATALOGUE)
    world.see_job(body())
    world.see_pod(pod_body())
    world.see_pod(executor_body())
    world.lose_pod(KEY, "extremes-1-driver", "pod-1")  # a watch showed that they were deleted
    world.lose_pod(KEY, "extremes-1-exec-1", "executor-1")
    world.lose_job(KEY, JOB_UID)
    # a listing that was answered before
    assert not world.see_pod(pod_body())
    assert not world.see_pod(executor_body())
    assert not world.see_job(body())
    assert (world.job(KEY), world.pods(KEY), world.executors(KEY)) == (None, (), ())


def test_a_pod_as_it_was_before_is_no_news() -> None:
    world = World(CATALOGUE)
    newer, older = pod_body(phase="Failed"), pod_body(phase="Running")
    newer["metadata"]["resourceVersion"], older["metadata"]["resourceVersion"] = "101", "99"
    world.see_pod(newer)
    assert not world.see_pod(older)
    assert [pod.phase for pod in world.pods(KEY)] == ["Failed"]


def test_the_departed_are_remembered_up_to_a_bound() -> None:
    departed = Departed()
    for number in range(30_000):
        departed.add(str(number))
    assert "0" not in departed
    assert "29999" in departed


def test_a_listing_that_comes_late_takes_no_news_back() -> None:
    world = World(CATALOGUE)
    world.see_job(body())
    listed, ended = pod_body(), pod_body(phase="Failed")
    listed["metadata"]["resourceVersion"], ended["metadata"]["resourceVersion"] = "20", "21"
    world.see_pod(listed)
    world.see_pod(ended)
    assert not world.see_pod(listed)  # answered before the pod ended
    assert not world.keep_pods(KEY, {"pod-1"})
    assert [pod.phase for pod in world.pods(KEY)] == ["Failed"]
