"""The table from what Kubernetes and the runtime say to the reason that users read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from streamjob_operator.observed import Manifest, Pod
from streamjob_operator.obstacles import Warned, hindrance, obstacle, overdue
from streamjob_operator.reasons import Fault, ending
from unit.operator.builders import job, pod, terminated

CONTAINERS_READY = ({"type": "ContainersReady", "status": "True"},)


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
        (failed(70, reason="OOMKilled"), "OOMKilled", Fault.JOB),
        (failed(69, reason="OOMKilled"), "DependencyUnavailable", Fault.INFRASTRUCTURE),
        (failed(128, reason="StartError"), "ContainerConfigError", Fault.JOB),
        (pod(job(), terminating=True, ready=False, conditions=CONTAINERS_READY), "NodeLost", Fault.INFRASTRUCTURE),
        (
            pod(
                job(),
                phase="Failed",
                ready=False,
                conditions=({"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"},),
            ),
            "NodeLost",
            Fault.INFRASTRUCTURE,
        ),
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
        (pod(job(), ready=False, conditions=CONTAINERS_READY), "NodeLost"),
    ],
)
def test_what_keeps_a_driver_from_starting_is_told(seen: Pod, reason: str) -> None:
    told = obstacle(seen)
    assert told
    assert told[0] == reason
    assert seen.name in told[1]


def test_a_pod_that_is_being_made_meets_no_obstacle() -> None:
    assert obstacle(pod(job(), phase="Pending", ready=False, container=waiting("ContainerCreating"))) is None


SAID_AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def warned(reason: str, message: str, seconds_ago: float = 0) -> Warned:
    return Warned(reason, message, SAID_AT - timedelta(seconds=seconds_ago))


def mount(kind: str, name: str, seconds_ago: float = 0) -> Warned:
    return warned("FailedMount", f'MountVolume.SetUp failed for volume "x" : {kind} "{name}" not found', seconds_ago)


@pytest.mark.parametrize(
    ("warnings", "reason", "told"),
    [
        ([mount("secret", "kafka-client")], "ContainerConfigError", "Secret kafka-client not found; create it"),
        (
            [mount("secret", "redis"), mount("secret", "kafka-client", 100)],
            "ContainerConfigError",
            "Secret kafka-client, Secret redis not found; create them",
        ),
        ([mount("configmap", "x-1-job")], "ContainerConfigError", "ConfigMap x-1-job not found"),
        ([mount("secret", "redis"), mount("secret", "there-by-now", 200)], "ContainerConfigError", "Secret redis not"),
        ([warned("FailedMount", "is not a directory"), warned("Unhealthy", "x")], "VolumeUnavailable", "not a dir"),
        ([warned("FailedAttachVolume", "Multi-Attach error")], "VolumeUnavailable", "Multi-Attach error"),
        ([warned("FailedCreatePodSandBox", "no addresses left")], "ContainerConfigError", "no addresses left"),
    ],
)
def test_what_holds_a_pod_up_is_read_from_its_warnings(warnings: list[Warned], reason: str, told: str) -> None:
    found = hindrance(pod(job()), warnings)
    assert found
    assert found.reason == reason
    assert told in found.message


@pytest.mark.parametrize("warnings", [[], [warned("Unhealthy", "Startup probe failed")]])
def test_other_warnings_hold_nothing_up(warnings: list[Warned]) -> None:
    assert hindrance(pod(job()), warnings) is None


def test_a_pod_is_overdue_a_moment_after_its_grace_period() -> None:
    ends_by = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    ending = pod(job(), terminating=True, ends_by=ends_by)
    assert [overdue(ending, ends_by + timedelta(seconds=late)) for late in (0, 14, 15)] == [False, False, True]
    assert not overdue(pod(job()), ends_by + timedelta(days=1))
