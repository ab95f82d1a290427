"""One job from apply to deletion, on the real API server and kubelet."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from cluster.operator_process import (
    Manifest,
    OperatorProcess,
    Ou,
    condition,
    is_ready,
    reason,
    stream_job,
    stream_resource,
    thing_models,
)
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually


def owned(manifest: Manifest, job: Manifest) -> bool:
    (owner,) = manifest["metadata"]["ownerReferences"]
    return bool(owner["uid"] == job["metadata"]["uid"] and owner["controller"])


def test_a_job_gets_its_objects_and_is_ready_and_deletion_removes_them(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("extremes", {"rate": 12}))

    status = ou.job_until("extremes", is_ready)
    job = ou.get("streamjob", "extremes")
    pod = ou.get("pod", "extremes-1-driver")
    (container,) = pod["spec"]["containers"]
    assert container["name"] == "spark-kubernetes-driver"
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "2Gi"}
    assert container["resources"]["requests"] == {"cpu": "50m", "memory": "2Gi"}
    assert pod["spec"]["restartPolicy"] == "Never"
    told = json.loads(ou.get("configmap", "extremes-1-job")["data"]["job.json"])
    assert (told["orgId"], told["job"]["attempt"]) == (ou.namespace, 1)
    assert all(owned(ou.get(*found), job) for found in OBJECTS)
    assert job["metadata"].get("finalizers") is None
    assert job["metadata"]["annotations"].keys() == {"kubectl.kubernetes.io/last-applied-configuration"}
    assert status["observedGeneration"] == 1
    assert status["driver"]["uid"] == pod["metadata"]["uid"]
    assert reason(status, "ResourceReserved") == "Admitted"

    status = ou.job_until("extremes", lambda status: (status.get("throughput") or {}).get("lagRecords") == 3)
    assert status["throughput"]["inputRecordsPerSecond"] == 12
    assert reason(status, "Progressing") == "Progressing"

    ou.delete("streamjob", "extremes")
    eventually(lambda: [found for found in OBJECTS if ou.get(*found)], until=lambda left: not left, within_seconds=60)
    resource = eventually(
        lambda: ou.get("streamresource", "energy")["status"], until=lambda status: status["standalone"]["used"] == 0
    )
    assert resource["inUse"] is False


OBJECTS = (
    ("configmap", "extremes-1-job"),
    ("persistentvolumeclaim", "extremes-checkpoint"),
    ("pod", "extremes-1-driver"),
)


def test_a_restart_of_the_operator_writes_nothing_and_kubectl_diff_is_empty(
    ou: Ou, idle_operator: OperatorProcess
) -> None:
    idle_operator.start()
    steady = stream_job("steady", {"rate": 5})
    models = thing_models("A", "steady", "second")
    ou.apply(models, stream_resource(models={"configMap": "thing-models"}), steady)
    ou.job_until("steady", lambda status: is_ready(status) and bool(status.get("throughput")))
    before = eventually(lambda: (versions(ou), versions(ou)), until=lambda seen: seen[0] == seen[1])[1]
    idle_operator.kill()
    idle_operator.start()
    ou.apply(stream_job("second"))
    ou.job_until("second", is_ready)
    assert versions(ou) == before
    ou.cluster.kubectl("diff", "-n", ou.namespace, "-f", "-", input=json.dumps(steady))


def versions(ou: Ou) -> list[str]:
    """Resource versions of all that belongs to the job "steady"."""
    named = (
        ("streamjob", "steady"),
        ("pod", "steady-1-driver"),
        ("configmap", "steady-1-job"),
        ("persistentvolumeclaim", "steady-checkpoint"),
    )
    return [ou.get(kind, name)["metadata"]["resourceVersion"] for kind, name in named]


def test_an_edit_restarts_the_driver_and_a_description_does_not(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("edited"))
    ou.job_until("edited", is_ready)

    ou.patch("edited", {"description": "", "priority": 5})
    ou.job_until("edited", lambda status: status["observedGeneration"] == 2 and is_ready(status))
    assert [pod["metadata"]["name"] for pod in ou.pods()] == ["edited-1-driver"]

    ou.patch("edited", {"rateLimit": 10})
    status = ou.job_until("edited", lambda status: status["attempt"] == 2 and is_ready(status))
    assert [pod["metadata"]["name"] for pod in ou.pods()] == ["edited-2-driver"]
    assert status["restarts"]["total"] == 0
    assert [found["metadata"]["name"] for found in ou.items("configmap", "streamjob.dev/job")] == ["edited-2-job"]
    assert '"rateLimit": 10' in ou.get("configmap", "edited-2-job")["data"]["job.json"]

    ou.patch("edited", {"restartNonce": 1})
    ou.job_until("edited", lambda status: status["attempt"] == 3 and is_ready(status))


def test_an_invalid_edit_leaves_the_driver_running(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("kept"))
    ou.job_until("kept", is_ready)

    ou.patch(
        "kept",
        {
            "timeWindowAggregation": {
                "policies": [{"input": "M::A", "aggregation": "max", "windowSize": "2d", "output": "M::kept"}]
            }
        },
    )
    status = ou.job_until("kept", lambda status: reason(status) == "InvalidSpec")
    assert "spec.timeWindowAggregation.policies[0].windowSize" in condition(status, "Stalled")["message"]
    assert condition(status, "DriverReady")["status"] == "True"
    assert [pod["metadata"]["name"] for pod in ou.pods()] == ["kept-1-driver"]


def test_paused_keeps_the_checkpoint_and_stopped_drops_it(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("states"))
    ou.job_until("states", is_ready)

    ou.patch("states", {"state": "Paused"})
    status = ou.job_until("states", lambda status: reason(status) == "Paused")
    assert is_ready(status)
    assert (status["admittedCu"], status.get("driver")) == (0, None)
    eventually(ou.pods, until=lambda pods: not pods)
    assert ou.get("persistentvolumeclaim", "states-checkpoint")

    ou.patch("states", {"state": "Running"})
    status = ou.job_until("states", lambda status: status["attempt"] == 2 and is_ready(status))
    assert status["deployed"]["checkpoint"].endswith("/0")
    assert "attempt-1" in ou.cluster.kubectl("logs", "-n", ou.namespace, "states-2-driver")

    ou.patch("states", {"state": "Stopped"})
    ou.job_until("states", lambda status: reason(status) == "Stopped" and is_ready(status))
    ou.patch("states", {"state": "Running"})
    status = ou.job_until("states", lambda status: status["attempt"] == 3 and is_ready(status))
    assert status["deployed"]["checkpoint"].endswith("/1")


def test_states_asked_faster_than_followed_end_where_the_user_wants_it(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("hasty", {"slow_stop": 3}))
    ou.job_until("hasty", is_ready)

    with watched(ou.cluster, ou.namespace) as events:
        ask_in_turn(ou, "hasty", [*STATES * 6, "Running"])
        status = settled(ou, "hasty", "Running")
    assert most_at_once(events)[0] == 1
    assert len(ou.pods()) == 1
    assert status["restarts"]["total"] == 0


def test_thirty_wishes_that_end_in_stopped_leave_nothing_behind(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("fickle"))
    ou.job_until("fickle", is_ready)

    ask_in_turn(ou, "fickle", [*STATES * 6, "Stopped"])
    status = settled(ou, "fickle", "Stopped")
    assert (status["admittedCu"], status.get("driver")) == (0, None)
    assert status["stop"]["graceful"] is True
    eventually(ou.pods, until=lambda pods: not pods)
    eventually(lambda: ou.get("streamresource", "energy")["status"]["inUse"], until=lambda used: used is False)


def test_a_job_deleted_and_created_again_while_it_stops_is_another_one(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("reborn", {"slow_stop": 3}))
    ou.job_until("reborn", is_ready)
    former = ou.get("streamjob", "reborn")["metadata"]["uid"]

    with watched(ou.cluster, ou.namespace) as events:
        ou.patch("reborn", {"state": "Paused"})
        ou.delete("streamjob", "reborn", "--wait=false")
        ou.apply(stream_job("reborn"))
        ask_in_turn(ou, "reborn", ["Paused", "Running", "Stopped", "Running"])
        status = settled(ou, "reborn", "Running")
    (pod,) = ou.pods()
    (owner,) = pod["metadata"]["ownerReferences"]
    assert owner["uid"] != former
    assert status["restarts"]["total"] == 0
    assert most_at_once(events)[0] == 1


STATES = ["Paused", "Running", "Stopped", "Released", "Draft"]


def ask_in_turn(ou: Ou, name: str, states: list[str]) -> None:
    """As fast as the API server takes it."""
    for state in states:
        answer = ou.merge("streamjob", name, {"spec": {"state": state}})
        assert answer["spec"]["state"] == state


def settled(ou: Ou, name: str, state: str) -> Manifest:
    generation = ou.get("streamjob", name)["metadata"]["generation"]
    return ou.job_until(
        name,
        lambda status: status.get("observedGeneration") == generation and is_ready(status) and reason(status) == state,
    )


def test_status_tells_how_a_driver_ended_that_was_asked_to(ou: Ou, operator: OperatorProcess) -> None:
    patient, hard = stream_job("patient", {"slow_stop": 1}), stream_job("hard", {"slow_stop": 60})
    hard["spec"]["lifecycle"] = {"stopDeadline": "3s"}
    ou.apply(stream_resource(), patient, hard)
    for name in ("patient", "hard"):
        ou.job_until(name, is_ready)
        ou.patch(name, {"state": "Paused"})

    stop = ou.job_until("patient", lambda status: reason(status) == "Paused")["stop"]
    assert (stop["podName"], stop["graceful"], stop["message"]) == ("patient-1-driver", True, "ended as told")
    status = ou.job_until("hard", lambda status: reason(status) == "Paused")
    assert status["stop"]["graceful"] is False
    assert "killed after lifecycle.stopDeadline" in status["stop"]["message"]
    assert "not gracefully" in condition(status, "Ready")["message"]

    for name in ("patient", "hard"):
        ou.patch(name, {"state": "Running", "rateLimit": 9})
    ou.job_until("patient", is_ready)
    ou.patch("patient", {"restartNonce": 1})
    stop = ou.job_until("patient", lambda status: status["attempt"] == 3 and is_ready(status))["stop"]
    assert (stop["podName"], stop["graceful"]) == ("patient-2-driver", True)


def _events(ou: Ou, job: str) -> list[str]:
    return [event["reason"] for event in ou.items("events.events.k8s.io") if event["regarding"]["name"] == job]


def test_a_pause_beyond_its_limit_asks_for_a_decision_across_a_restart_of_the_operator(
    ou: Ou, idle_operator: OperatorProcess
) -> None:
    idle_operator.start()
    ou.apply(stream_resource(), stream_job("resting", state="Paused", lifecycle={"pauseLimit": "15s"}))
    since = ou.job_until("resting", lambda status: reason(status) == "Paused")["pausedAt"]
    eventually(lambda: "Paused" in _events(ou, "resting"))  # written behind the status, lost with the operator
    idle_operator.kill()
    idle_operator.start()
    status = ou.job_until("resting", lambda status: reason(status) == "PauseExpired")
    late = datetime.now(UTC) - datetime.fromisoformat(since)
    assert 15 <= late.total_seconds() < 25
    assert status["pausedAt"] == since
    assert condition(status, "PauseExpired")["status"] == "True"
    assert is_ready(status)
    assert "PauseExpired" in ou.cluster.kubectl("get", "-n", ou.namespace, "sj", "resting")
    told = eventually(lambda: _events(ou, "resting"), until=lambda told: len(told) == 2)
    assert sorted(told) == ["PauseExpired", "Paused"]
    ou.patch("resting", {"state": "Running"})
    assert ou.job_until("resting", lambda status: reason(status) == "Running").get("pausedAt") is None
