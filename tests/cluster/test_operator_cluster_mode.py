"""A Cluster job's driver and its service account, on the real API server; the stand-in driver makes no executors."""

from __future__ import annotations

import json

from cluster.operator_process import OperatorProcess, Ou, condition, is_ready, on_one_volume, reason, stream_job

SIZES = {"mode": "Cluster", "master": {"cu": 1}, "workers": 2, "worker": {"cu": 1}}


def tokens(ou: Ou, pod: str) -> list[str]:
    """Volumes by which a token reaches a pod."""
    volumes = ou.get("pod", pod)["spec"]["volumes"]
    return [volume["name"] for volume in volumes if "serviceAccountToken" in json.dumps(volume.get("projected", {}))]


def test_a_missing_account_is_said_and_once_it_is_there_the_driver_alone_has_its_token(
    ou: Ou, operator: OperatorProcess
) -> None:
    claim, resource = on_one_volume()
    resource["spec"]["capacity"] |= {"cluster": 3}
    ou.apply(claim, resource, stream_job("clustered", resources=SIZES), stream_job("alone"))
    status = ou.job_until("clustered", lambda status: reason(status) == "DriverRefused")
    message = condition(status, "Ready")["message"]
    assert 'serviceaccount "streamjob-driver" not found' in message
    assert "drivers.cluster.namespaces" in message
    ou.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "streamjob-driver"}})
    status = ou.job_until("clustered", is_ready)
    assert (status["attempt"], status["admittedCu"]) == (1, 3)
    assert status["executors"] == {"requested": 2, "running": 0}
    ou.job_until("alone", is_ready)
    assert len(tokens(ou, "clustered-1-driver")) == 1
    assert tokens(ou, "alone-1-driver") == []
