"""Edits of a job that runs: what is refused, dropped, rolled back and kept, on the real API server and kubelet."""

from __future__ import annotations

from typing import Any

from cluster.operator_process import (
    Manifest,
    OperatorProcess,
    Ou,
    condition,
    is_ready,
    reason,
    stream_job,
    stream_resource,
)
from fixtures.eventually import eventually


def windows(output: str, size: str) -> Manifest:
    return {"policies": [{"input": "M::A", "aggregation": "max", "windowSize": size, "output": f"M::{output}"}]}


def names(manifests: list[Manifest]) -> list[str]:
    return [found["metadata"]["name"] for found in manifests]


def message(status: Manifest, kind: str = "Ready") -> str:
    return str(condition(status, kind).get("message", ""))


def revisions(ou: Ou) -> dict[str, Manifest]:
    return {found["metadata"]["name"]: found for found in ou.items("controllerrevisions", "streamjob.dev/job")}


def told(ou: Ou, job: str, attempt: int) -> str:
    return str(ou.get("configmap", f"{job}-{attempt}-job")["data"]["job.json"])


def test_an_edit_that_breaks_the_state_is_refused_and_the_deployed_spec_runs_again_when_its_driver_is_lost(
    ou: Ou, operator: OperatorProcess
) -> None:
    ou.apply(stream_resource(), stream_job("held"))
    ou.job_until("held", is_ready)
    ou.patch("held", {"timeWindowAggregation": windows("held", "20m"), "priority": 3})
    status = ou.job_until("held", lambda status: reason(status, "Stalled") == "StateBreakingChange")
    assert condition(status, "SpecValid")["status"] == "True"
    said = message(status)
    assert said.startswith("spec.timeWindowAggregation.policies[0].windowSize: 10m -> 20m: the state")
    assert all(way in said for way in ("take the change back", "upgradeMode: Stateless", "state: Stopped"))
    assert said.endswith("the former spec (generation 1) runs on")
    assert names(ou.pods()) == ["held-1-driver"]

    ou.delete("pod", "held-1-driver", "--wait=false")
    status = ou.job_until("held", lambda status: status["attempt"] > 1 and message(status).endswith("runs on"))
    assert reason(status, "Stalled") == "StateBreakingChange"
    assert (status["deployed"]["generation"], status["deployed"]["epoch"]) == (1, 0)
    assert '"windowSize": "10m"' in told(ou, "held", status["attempt"])
    said = eventually(lambda: ou.cluster.kubectl("logs", "-n", ou.namespace, status["driver"]["podName"]))
    assert "attempt-1" in said

    ou.patch("held", {"timeWindowAggregation": windows("held", "600s")})
    status = ou.job_until("held", lambda status: is_ready(status) and status["observedGeneration"] == 3)
    assert condition(status, "Stalled") == {}


def test_a_stateless_edit_drops_the_state_and_says_so_before(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("fresh"))
    ou.job_until("fresh", is_ready)
    ou.patch("fresh", {"timeWindowAggregation": windows("fresh", "20m"), "upgradeMode": "Stateless"})
    status = ou.job_until("fresh", lambda status: status["attempt"] > 1 and is_ready(status))
    assert (status["deployed"]["epoch"], status["highestEpoch"]) == (1, 1)
    assert status["deployed"]["checkpoint"].endswith("/1")
    events = [event["note"] for event in ou.items("events.events.k8s.io") if event["reason"] == "Upgrading"]
    assert len(events) == 1
    assert events[0].startswith("spec.timeWindowAggregation.policies[0].windowSize: 10m -> 20m: state and offsets are ")


def test_a_changed_spec_that_never_becomes_healthy_gives_way_to_the_last_stable_one(
    ou: Ou, operator: OperatorProcess
) -> None:
    lifecycle = {"stopDeadline": "20s", "startDeadline": "30s", "rollbackOnFailure": True}
    ou.apply(stream_resource(), stream_job("back", {"idle": True}, lifecycle=lifecycle))
    status = ou.job_until("back", lambda status: bool(status.get("lastStable")))
    assert status["lastStable"]["revision"] == status["deployed"]["revision"]
    stable = revisions(ou)[status["lastStable"]["revision"]]
    assert stable["data"]["spec"]["timeWindowAggregation"]["policies"][0]["windowSize"] == "10m"

    edited: dict[str, Any] = {"timeWindowAggregation": windows("back", "20m"), "upgradeMode": "Stateless"}
    ou.patch("back", {**edited, "description": '{"exit": 65, "message": "no such thing"}'})
    status = ou.job_until("back", lambda status: message(status).endswith("the former spec (generation 1) runs on"))
    assert reason(status, "Stalled") == "RolledBack"
    assert "generation 2 did not become healthy (InvalidConfiguration: no such thing)" in message(status)
    assert (status["rolledBack"]["generation"], status["rolledBack"]["reason"]) == (2, "InvalidConfiguration")
    assert (status["deployed"]["generation"], status["deployed"]["epoch"], status["highestEpoch"]) == (1, 0, 1)
    assert ou.get("streamjob", "back")["spec"]["timeWindowAggregation"]["policies"][0]["windowSize"] == "20m"

    ou.patch("back", {"description": '{"idle": true}', "restartNonce": 1})
    status = ou.job_until("back", is_ready)
    assert (status["deployed"]["generation"], status["deployed"]["epoch"], status.get("rolledBack")) == (3, 2, None)


def test_an_invalid_edit_does_not_keep_a_lost_driver_from_being_replaced(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("sound"))
    ou.job_until("sound", is_ready)
    ou.patch("sound", {"timeWindowAggregation": windows("sound", "2d")})
    ou.job_until("sound", lambda status: reason(status, "Stalled") == "InvalidSpec")
    ou.delete("pod", "sound-1-driver", "--wait=false")
    status = ou.job_until("sound", lambda status: status["attempt"] > 1 and message(status).endswith("runs on"))
    assert reason(status) == "InvalidSpec"
    assert message(status, "Stalled").endswith("; the former spec (generation 1) runs on")
    assert condition(status, "DriverReady")["status"] == "True"
    assert status["admittedCu"] == 1


def test_ten_specs_are_kept_and_those_that_are_needed_never_go(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("often"))
    status = ou.job_until("often", lambda status: bool(status.get("deployed", {}).get("revision")))
    (first,) = revisions(ou).values()
    assert first["metadata"]["ownerReferences"][0]["kind"] == "StreamJob"
    for number in range(12):
        copy = {key: first["metadata"][key] for key in ("labels", "ownerReferences", "namespace")}
        made = {"metadata": {**copy, "name": f"often-{number}"}, "revision": number + 20, "data": first["data"]}
        ou.apply({"apiVersion": "apps/v1", "kind": "ControllerRevision", **made})
        ou.patch("often", {"priority": number + 1})
    ou.patch("often", {"rateLimit": 10})
    status = ou.job_until("often", lambda status: status["attempt"] > 1 and bool(status["deployed"].get("revision")))
    kept = eventually(lambda: revisions(ou), until=lambda found: len(found) == 10)
    assert status["deployed"]["revision"] in kept
    assert names([first])[0] not in kept
    assert "often-11" in kept
