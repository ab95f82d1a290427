"""The table from what Kubernetes and the runtime say to the reason that users read."""

from __future__ import annotations

import json

import pytest

from streamjob_operator.observed import Manifest, Pod
from streamjob_operator.reasons import Fault, ending, obstacle
from unit.operator.builders import job, pod, terminated


def words(message: str) -> str:
    return json.dumps({"reason": "X", "message": message, "attempt": 1})


def failed(code: int, message: str = "", reason: str = "Error") -> Pod:
    return pod(job(), phase="Failed", ready=False, container=terminated(code, message, reason))


@pytest.mark.parametrize(
    ("seen", "reason", "fault"),
    [
        (failed(0), "DriverExited", Fault.JOB),
        (failed(64), "Fenced", Fault.INFRASTRUCTURE),
        (failed(65), "InvalidConfiguration", Fault.PERMANENT),
        (failed(66), "CheckpointIncompatible", Fault.PERMANENT),
        (failed(69), "DependencyUnavailable", Fault.INFRASTRUCTURE),
        (failed(70), "InternalError", Fault.JOB),
        (failed(1), "InternalError", Fault.JOB),
        (failed(137, reason="OOMKilled"), "OOMKilled", Fault.JOB),
        (failed(137), "InternalError", Fault.JOB),
        (
            pod(job(), phase="Failed", ready=False, reason="Evicted", message="low on memory"),
            "DriverEvicted",
            Fault.INFRASTRUCTURE,
        ),
        (pod(job(), phase="Failed", ready=False, container={}), "DriverLost", Fault.INFRASTRUCTURE),
        (pod(job(), terminating=True), "DriverLost", Fault.INFRASTRUCTURE),
        (pod(job(), terminating=True, reason="NodeLost"), "NodeLost", Fault.INFRASTRUCTURE),
        (
            pod(
                job(),
                terminating=True,
                conditions=({"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"},),
            ),
            "DriverEvicted",
            Fault.INFRASTRUCTURE,
        ),
    ],
)
def test_an_end_has_a_reason_and_a_fault(seen: Pod, reason: str, fault: Fault) -> None:
    ended = ending(seen)
    assert ended
    assert (ended.reason, ended.fault) == (reason, fault)
    assert ended.message


def test_a_living_pod_has_not_ended() -> None:
    assert ending(pod(job())) is None


def test_the_drivers_last_words_are_the_message() -> None:
    ended = ending(failed(66, words("state of shard 7 cannot be read")))
    assert ended
    assert ended.message == "state of shard 7 cannot be read"


def test_an_unknown_exit_code_is_named() -> None:
    ended = ending(failed(3, "Traceback ..."))
    assert ended
    assert ended.message == "extremes-1-driver ended with exit code 3: Traceback ..."


def test_only_the_drivers_own_container_is_judged() -> None:
    seen = pod(job(), containerStatuses=[{"name": "side-car", "state": terminated(70)}])
    assert ending(seen) is None
    assert seen.container.state == ""


def waiting(reason: str, message: str = "") -> Manifest:
    return {"waiting": {"reason": reason, "message": message}}


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (pod(job(), phase="Pending", ready=False, container=waiting("ErrImagePull", "not found")), "ImagePullFailed"),
        (pod(job(), phase="Pending", ready=False, container=waiting("ImagePullBackOff")), "ImagePullFailed"),
        (
            pod(job(), phase="Pending", ready=False, container=waiting("CreateContainerConfigError", "no key")),
            "ContainerConfigError",
        ),
        (
            pod(
                job(),
                phase="Pending",
                ready=False,
                containerStatuses=[],
                conditions=({"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"},),
            ),
            "Unschedulable",
        ),
        (pod(job(), phase="Unknown", ready=False), "NodeLost"),
    ],
)
def test_what_keeps_a_driver_from_starting_is_told(seen: Pod, reason: str) -> None:
    told = obstacle(seen)
    assert told
    assert told[0] == reason
    assert seen.name in told[1]


def test_a_pod_that_is_being_made_meets_no_obstacle() -> None:
    assert obstacle(pod(job(), phase="Pending", ready=False, container=waiting("ContainerCreating"))) is None
