"""The local cluster's second node: it takes pods that ask for it, can be lost, comes back and leaves nothing."""

from __future__ import annotations

import json
import os

from fixtures.eventually import eventually
from localcluster import leftovers, second_node
from localcluster.images import BUSYBOX
from localcluster.providers import Cluster
from localcluster.second_node import SecondNode
from localcluster.state import state_folder

_POD = {
    "terminationGracePeriodSeconds": 1,
    "nodeSelector": {second_node.LABEL: "true"},
    "tolerations": [second_node.TOLERATION],
}


def run(cluster: Cluster, name: str) -> None:
    overrides = json.dumps({"spec": _POD})
    command = ("--command", "--", "sleep", "1000")
    cluster.kubectl("run", name, f"--image={BUSYBOX}", f"--overrides={overrides}", *command)
    cluster.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")


def test_its_pods_are_reached_outlive_a_cut_and_die_with_the_power(cluster: Cluster, lost_node: SecondNode) -> None:
    run(cluster, "on-second")
    answer = cluster.kubectl("exec", "on-second", "--", "nslookup", "kubernetes.default.svc.cluster.local")
    assert "10.96.0.1" in answer
    lost_node.cut()
    assert lost_node.live_processes() > 0
    lost_node.come_back()
    cluster.kubectl("delete", "pod", "on-second", "--timeout=60s")
    run(cluster, "on-second-again")
    lost_node.power_off()
    assert lost_node.live_processes() == 0
    cluster.kubectl("delete", "pod", "on-second-again", "--force", "--grace-period=0")


def test_it_leaves_nothing(cluster: Cluster) -> None:
    state = state_folder(os.environ)
    own = second_node.state_of(state)
    with second_node.second_node(state):
        assert own.run.exists()
    eventually(lambda: cluster.kubectl("get", "nodes", "-o", "name"), until=lambda names: second_node.NAME not in names)
    mounts = leftovers.mounts_below(leftovers.MOUNTS.read_text(), [own.root, own.run])
    assert (own.run.exists(), leftovers.cgroup_folders(own.cgroup), mounts) == (False, [], [])
    assert leftovers.strays(own) == []
