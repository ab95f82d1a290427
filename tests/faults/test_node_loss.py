"""A driver's node is drained, does not answer for a while, or is lost for good; by a second kubelet that is stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

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
from fixtures.told import is_disrupted, is_unready, told
from localcluster.second_node import LABEL, TOLERATION, SecondNode

# The local cluster calls a node lost after 120 s without a word; Kubernetes' default is 40 s.
_LOST_SECONDS = 240
_NODE_LOSS_SECONDS = 40

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture
def stranded(lost_node: SecondNode, ou: Ou, idle_operator: OperatorProcess) -> Iterator[Ou]:
    """Two jobs whose drivers run on the second node: one is well, the other was never ready."""
    idle_operator.extra = (
        "--no-leader-election",
        f"--driver-node-selector={json.dumps({LABEL: 'true'})}",
        f"--driver-tolerations={json.dumps([TOLERATION])}",
        f"--node-loss-seconds={_NODE_LOSS_SECONDS}",
    )
    idle_operator.start()
    ou.apply(stream_resource(), stream_job("well"), stream_job("waiting", {"waiting": "KafkaUnreachable"}))
    ou.job_until("well", is_ready)
    ou.job_until("waiting", lambda status: reason(status) == "KafkaUnreachable")
    yield ou
    ou.delete("streamjobs", "--all", "--wait=false")
    ou.cluster.kubectl("delete", "pods", "-n", ou.namespace, "--all", "--force", "--grace-period=0")


def stuck(status: Manifest) -> bool:
    return reason(status, "Stalled") == "NodeLost"


def attempt_of(ou: Ou, job: str, attempt: int) -> None:
    ou.job_until(job, lambda status: status["attempt"] == attempt and is_ready(status), within_seconds=240)


def test_a_drained_node_and_one_that_is_lost_and_comes_back_and_one_that_is_lost_for_good(
    stranded: Ou, lost_node: SecondNode
) -> None:
    ou, kubectl = stranded, stranded.cluster.kubectl
    with watched(ou.cluster, ou.namespace) as events:
        kubectl("cordon", lost_node.name)
        drivers = ("--force", "--delete-emptydir-data", "--pod-selector=streamjob.dev/job=well")
        kubectl("drain", lost_node.name, *drivers, "--timeout=60s")
        ou.job_until("well", lambda status: status["restarts"]["lastReason"] == "DriverEvicted")
        kubectl("uncordon", lost_node.name)
        attempt_of(ou, "well", 2)

        lost_node.cut()
        seen = told(ou, {"well": ("NodeLost", is_unready(ou, "well-2-driver"))}, _LOST_SECONDS)
        assert f"kubectl delete node {lost_node.name}" in seen["well"]["message"]
        lost_node.come_back()
        attempt_of(ou, "well", 2)

        lost_node.cut()
        told(ou, {"well": ("NodeLost", is_unready(ou, "well-2-driver"))}, _LOST_SECONDS)
        eventually(is_disrupted(ou, "well-2-driver"), within_seconds=_NODE_LOSS_SECONDS + 30)
        for job in ("well", "waiting"):
            status = ou.job_until(job, stuck, within_seconds=60)
            assert f"kubectl delete node {lost_node.name}" in condition(status, "Stalled")["message"]
        assert lost_node.live_processes() > 0, "the containers go on, and no second driver was started beside them"
        lost_node.power_off()
        kubectl("delete", "node", lost_node.name)
        status = ou.job_until("well", lambda status: status["attempt"] == 3, within_seconds=180)
        assert status["restarts"]["lastReason"] == "NodeLost"
        lost_node.come_back()
        attempt_of(ou, "well", 3)
    assert most_at_once(events) == (2, {"well": 1, "waiting": 1})
