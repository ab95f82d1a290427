"""Drivers that fail, are lost or wait: what is said, and what is done."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

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
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually
from fixtures.told import (
    at_once,
    ended,
    is_disrupted,
    is_older,
    is_unplaced,
    told,
    waits_for,
    warned,
)

_NO_FOLDER = "/run/no-such-folder is not a directory"


def test_a_driver_deleted_by_hand_is_replaced_and_never_two_live_at_once(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("lost", {"slow_stop": 3}))
    ou.job_until("lost", is_ready)
    with watched(ou.cluster, ou.namespace) as events:
        ou.delete("pod", "lost-1-driver", "--wait=false")
        ou.job_until("lost", lambda status: status["attempt"] == 2 and is_ready(status))
        ou.delete("pod", "lost-2-driver", "--wait=false")
        status = ou.job_until("lost", lambda status: status["attempt"] == 3 and is_ready(status))
    assert most_at_once(events) == (1, {"lost": 1})
    assert (status["restarts"]["total"], status["restarts"]["lastReason"]) == (2, "DriverLost")


def test_a_permanent_failure_is_stalled_with_the_last_words_until_the_spec_changes(
    ou: Ou, operator: OperatorProcess
) -> None:
    permanent = {"job-65": (65, "InvalidConfiguration"), "job-66": (66, "CheckpointIncompatible")}
    told = "shard 7 is damaged"
    jobs = [stream_job(name, {"exit": code, "message": told}) for name, (code, _) in permanent.items()]
    ou.apply(stream_resource(), *jobs)
    for name, (code, expected) in permanent.items():
        status = ou.job_until(name, stalled_for(expected))
        assert condition(status, "Ready")["message"].startswith(told)
        assert (status["restarts"]["lastExitCode"], status["admittedCu"]) == (code, 0)
    ou.patch("job-66", {"description": "{}", "restartNonce": 1})
    ou.job_until("job-66", lambda status: status["attempt"] == 2 and is_ready(status))


def stalled_for(expected: str) -> Callable[[Manifest], bool]:
    return lambda status: reason(status, "Stalled") == expected


def test_other_failures_are_retried_with_their_reason(ou: Ou, operator: OperatorProcess) -> None:
    retried = {
        "job-0": "DriverExited",
        "job-64": "Fenced",
        "job-69": "DependencyUnavailable",
        "job-70": "InternalError",
        "job-3": "InternalError",
    }
    jobs = [stream_job(name, {"exit": int(name[4:]), "message": "said why"}) for name in retried]
    ou.apply(stream_resource(standalone=5), *jobs)
    for name, expected in retried.items():
        status = ou.job_until(name, lambda status: status.get("restarts", {}).get("total", 0) >= 2)
        assert status["restarts"]["lastReason"] == expected
        assert "said why" in status["restarts"]["lastMessage"]
        assert condition(status, "Ready")["status"] == "False"


def test_restarts_are_exhausted(ou: Ou, operator: OperatorProcess) -> None:
    restart = {"maxFailures": 1, "backoff": "1s", "backoffMax": "1s"}
    ou.apply(stream_resource(), stream_job("hopeless", {"exit": 70, "message": "boom"}, restart=restart))
    status = ou.job_until("hopeless", lambda status: reason(status, "Stalled") == "RestartsExhausted")
    assert "2 failures in a row, the last one InternalError: boom" in condition(status, "Stalled")["message"]
    eventually(lambda: [pod["metadata"]["name"] for pod in ou.pods()], until=lambda left: left == ["hopeless-2-driver"])


def test_what_the_kubelet_knows_is_told_within_fifteen_seconds(ou: Ou, operator: OperatorProcess) -> None:
    none = "localhost:5001/streamjob/none:none"
    soon = {"stopDeadline": "20s", "startDeadline": "5s"}
    ou.apply(
        stream_resource(standalone=8),
        stream_job("imageless", image=none),
        stream_job("greedy", {"eats": "itself"}),
        stream_job("nursing", {"eats": "child"}),
        stream_job("mute", {"mute": True}, lifecycle=soon),
        stream_job("unready", {"ready": False}, lifecycle={"startDeadline": "30s"}),
    )
    seen = told(
        ou,
        {
            "imageless": ("ImagePullFailed", waits_for(ou, "imageless-1-driver", "ErrImagePull", "ImagePullBackOff")),
            "greedy": ("OOMKilled", ended(ou, "greedy-1-driver")),
            "nursing": ("OOMKilled", ended(ou, "nursing-1-driver")),
            "mute": ("StartTimeout", is_older(ou, "mute", 5)),
            "unready": ("DriverNotReady", is_older(ou, "unready", 30)),
        },
        within_seconds=240,
    )
    assert none.partition(":none")[0] in seen["imageless"]["message"]
    assert "correct spec.image" in seen["imageless"]["message"]
    assert "a worker ended with -9" in seen["nursing"]["message"]
    assert "(lifecycle.startDeadline)" in seen["mute"]["message"]


def test_a_missing_secret_is_named_and_the_pod_goes_on_when_it_comes(ou: Ou, operator: OperatorProcess) -> None:
    kafka = {"bootstrapServers": "kafka:9092", "authSecret": "kafka-client"}
    ou.apply(stream_resource(kafka=kafka), stream_job("secretive"))
    pod = "secretive-1-driver"
    seen = told(ou, {"secretive": ("ContainerConfigError", warned(ou, pod, "FailedMount"))})
    assert f"Secret kafka-client not found; create it in namespace {ou.namespace}" in seen["secretive"]["message"]
    ou.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kafka-client"}, "stringData": {}})
    status = ou.job_until("secretive", is_ready)
    assert (status["attempt"], status["restarts"]["total"]) == (1, 0)


def test_a_volume_that_cannot_be_mounted_is_said(ou: Ou, operator: OperatorProcess) -> None:
    name = f"{ou.namespace}-broken"
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": ou.namespace,
        "name": "broken-checkpoint",
    }
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10Mi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": name,
            "claimRef": claim,
            "hostPath": {"path": "/run/no-such-folder", "type": "Directory"},
        },
    }
    ou.apply(volume, stream_resource(checkpoints={"volumeClaim": {"storageClassName": name, "size": "10Mi"}}))
    try:
        ou.apply(stream_job("broken"))
        seen = told(ou, {"broken": ("VolumeUnavailable", warned(ou, "broken-1-driver", "FailedMount"))})
        assert "pod broken-1-driver" in seen["broken"]["message"]
        # the kubelet may first have had no right to the claim yet
        ou.job_until("broken", lambda status: _NO_FOLDER in condition(status, "Ready")["message"])
    finally:
        ou.cluster.kubectl("delete", "persistentvolume", name, "--wait=false")


def test_an_evicted_driver_is_told_and_replaced(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("evicted", {"slow_stop": 2}))
    ou.job_until("evicted", is_ready)
    pod = "evicted-1-driver"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": ou.namespace}}
    path = f"/api/v1/namespaces/{ou.namespace}/pods/{pod}/eviction"
    ou.cluster.kubectl("create", "--raw", path, "-f", "-", input=json.dumps(eviction))
    seen = told(ou, {"evicted": ("DriverEvicted", is_disrupted(ou, pod))})
    assert "EvictionByEvictionAPI" in seen["evicted"]["message"]
    status = ou.job_until("evicted", lambda status: status["attempt"] == 2 and is_ready(status))
    assert (status["restarts"]["lastReason"], status["restarts"]["consecutive"]) == ("DriverEvicted", 0)


def test_a_driver_that_the_api_server_refuses_is_said_and_tried_again(ou: Ou, operator: OperatorProcess) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    ou.apply(quota, stream_resource(), stream_job("refused"))
    status = ou.job_until("refused", lambda status: reason(status) == "DriverRefused")
    assert "exceeded quota: none" in condition(status, "Ready")["message"]
    ou.delete("resourcequota", "none")
    status = ou.job_until("refused", is_ready)
    assert (status["attempt"], status["restarts"]["total"]) == (1, 0)


def test_a_driver_of_more_memory_than_the_ou_allows_is_refused_with_the_api_servers_words(
    ou: Ou, operator: OperatorProcess
) -> None:
    limits = {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}
    ou.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": limits})
    ou.apply(stream_resource(), stream_job("large"))
    seen = told(ou, {"large": ("DriverRefused", lambda: bool(ou.get("streamjob", "large").get("status")))})
    assert "maximum memory usage per Container is 1Gi" in seen["large"]["message"]


def test_a_driver_that_no_node_is_large_enough_for_is_said(ou: Ou, idle_operator: OperatorProcess) -> None:
    idle_operator.extra = ("--no-leader-election", "--cpu-request-per-cu=1")
    idle_operator.start()
    ou.apply(stream_resource(standalone=4), stream_job("unplaced", resources={"mode": "Standalone", "cu": 4}))
    seen = told(ou, {"unplaced": ("Unschedulable", is_unplaced(ou, "unplaced-1-driver"))})
    assert "Insufficient cpu" in seen["unplaced"]["message"]


def test_a_driver_that_waits_for_kafka_is_shown_within_fifteen_seconds(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("waiting"))
    ou.job_until("waiting", is_ready)
    ou.tell("waiting-1-driver", waiting="KafkaUnreachable")
    told(ou, {"waiting": ("KafkaUnreachable", at_once)})
    status = ou.get("streamjob", "waiting")["status"]
    assert (status["phase"], reason(status, "Progressing")) == ("Degraded", "KafkaUnreachable")
    ou.tell("waiting-1-driver")
    status = ou.job_until("waiting", is_ready, within_seconds=30)
    assert (status["attempt"], status["restarts"]["total"]) == (1, 0)


def test_a_status_that_was_wiped_is_rebuilt_without_a_second_driver(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("wiped"))
    ou.job_until("wiped", is_ready)
    ou.cluster.kubectl(
        "patch",
        "-n",
        ou.namespace,
        "streamjob",
        "wiped",
        "--subresource=status",
        "--type=json",
        "-p",
        '[{"op": "remove", "path": "/status"}]',
    )
    status = ou.job_until("wiped", is_ready)
    assert (status["attempt"], len(ou.pods())) == (1, 1)


def events_of(ou: Ou, job: str) -> list[Manifest]:
    return [event for event in ou.items("events.events.k8s.io") if event["regarding"]["name"] == job]


def test_transitions_are_recorded_as_events(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("told"))
    ou.job_until("told", is_ready)
    seen = eventually(
        lambda: [event["reason"] for event in events_of(ou, "told")], until=lambda seen: "Running" in seen
    )
    assert sorted(seen) == ["DriverStarting", "Running"]


def test_the_commands_of_the_troubleshooting_page_work(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("asked"))
    ou.job_until("asked", is_ready)
    filled = {"NAMESPACE": ou.namespace, "POD": "asked-1-driver", "JOB": "asked"}
    page = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
    shown = {line for line in page.splitlines() if line.startswith("kubectl -n NAMESPACE ")}
    asking = {line for line in shown if line.split()[3] in {"get", "describe", "logs"}}
    assert len(asking) > 5
    for line in sorted(asking):
        ou.cluster.kubectl(*shlex.split(re.sub("NAMESPACE|POD|JOB", lambda found: filled[found[0]], line))[1:])
