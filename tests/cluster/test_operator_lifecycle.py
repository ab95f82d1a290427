"""One job from apply to deletion, on the real API server and kubelet."""

from __future__ import annotations

import json

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

    for state in ("Paused", "Running", "Stopped", "Paused", "Running"):
        ou.patch("hasty", {"state": state})
    generation = ou.get("streamjob", "hasty")["metadata"]["generation"]
    ou.job_until("hasty", lambda status: status["observedGeneration"] == generation and is_ready(status))
    assert len(ou.pods()) == 1
