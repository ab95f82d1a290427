"""A second node for a while: its own containerd and kubelet, on the same bridge, to be lost without a word.

It is no part of ``up``: a test that needs it starts it and removes it. It shares the first node's address and network
(so that one kube-proxy, one CoreDNS and one range of pod addresses serve both), and takes only pods that tolerate it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localcluster import certificates, components, configuration, leftovers, network, prerequisites
from localcluster.certificates import Identity, kubeconfig_file
from localcluster.client import ctr, kubectl, node_is_ready, runtime_status, serves_kubelet
from localcluster.processes import Component, ProcessTable
from localcluster.state import State, exclusive
from localcluster.waiting import wait_until

NAME = "streamjob-second"
FOLDER = "node2"  # short: kubelet's sockets lie below it
LABEL = "streamjob.dev/second-node"
PORT, HEALTH_PORT = 10350, 10348
TOLERATION = {"key": LABEL, "operator": "Exists", "effect": "NoSchedule"}
_IDENTITY = Identity("kubelet-client", f"system:node:{NAME}", "system:nodes")
_BORROWED = ("ca.crt", "ca.key", "kubelet.crt", "kubelet.key")
_PROGRAMS = ("containerd", "kubelet")
PATIENCE_SECONDS = 120.0


def state_of(cluster: State) -> State:
    """The paths of the second node: below the cluster's folder, and with a run folder and a cgroup of their own."""
    return State(cluster.root / FOLDER)


@dataclass(frozen=True)
class SecondNode:
    """The running node."""

    cluster: State
    name: str = NAME

    @property
    def _state(self) -> State:
        return state_of(self.cluster)

    @property
    def _processes(self) -> ProcessTable:
        return ProcessTable(self._state.pids, self._state.logs)

    def cut(self) -> None:
        """Kill kubelet with SIGKILL; the containers go on, and nobody hears of them any more."""
        mark = self._processes.running("kubelet")
        assert mark, "the second node's kubelet does not run"
        os.kill(mark.pid, signal.SIGKILL)

    def power_off(self) -> None:
        """Kill kubelet, containerd and all containers, as a power cut does; the node object stays."""
        leftovers.end_processes(self._state, self._processes, _PROGRAMS)

    def come_back(self) -> None:
        """Start what does not run."""
        _start(self.cluster)

    def live_processes(self) -> int:
        """How many processes of containers there are on it."""
        return len(leftovers.members(self._state.cgroup))


@contextmanager
def second_node(cluster: State) -> Iterator[SecondNode]:
    """Add the node to a running cluster; on leaving it is removed, with its pods and its node object."""
    with exclusive(state_of(cluster)):
        remove(cluster)
        try:
            _prepare(cluster)
            _start(cluster)
            yield SecondNode(cluster)
        finally:
            kubectl(cluster, "delete", "node", NAME, "--ignore-not-found", "--wait=false")
            remove(cluster)


def remove(cluster: State) -> None:
    """End and remove what there is of the node on this machine; its node object is not looked at."""
    node = state_of(cluster)
    if not node.root.exists():
        return
    leftovers.end_processes(node, ProcessTable(node.pids, node.logs), _PROGRAMS)
    wait_until(lambda: leftovers.remove_cgroups(node.cgroup), "the second node's cgroups are gone", within_seconds=60)
    leftovers.remove_folders([node.run, node.cluster, node.containerd, node.pids])


def kubelet_configuration(cluster: State) -> dict[str, object]:
    """As the first node's, on other ports, and with a taint that keeps everything away that does not ask for it."""
    taint = {"key": LABEL, "value": "true", "effect": "NoSchedule"}
    return {
        **configuration.kubelet(state_of(cluster)),
        "port": PORT,
        "healthzPort": HEALTH_PORT,
        "registerWithTaints": [taint],
    }


def containerd_configuration(cluster: State) -> str:
    """As the first node's, with its own folders and the same network: addresses are given out from one book."""
    node = state_of(cluster)
    text = configuration.containerd(node, prerequisites.CNI_PLUGINS)
    return text.replace(f"{node.configuration}/cni", f"{cluster.configuration}/cni")


def _prepare(cluster: State) -> None:
    node = state_of(cluster)
    for folder in (node.kubelet, node.containerd, node.run, node.logs, node.certificates):
        folder.mkdir(parents=True, exist_ok=True)
    for name in _BORROWED:
        shutil.copy(cluster.certificates / name, node.certificates / name)
    certificates.sign(node, _IDENTITY)
    access = json.dumps(certificates.kubeconfig(node, _IDENTITY.name), indent=2)
    certificates.write_private(kubeconfig_file(node, _IDENTITY.name), access)
    shutil.copytree(cluster.configuration, node.configuration, dirs_exist_ok=True)
    (node.configuration / "kubelet.json").write_text(json.dumps(kubelet_configuration(cluster), indent=2))
    (node.configuration / "containerd.toml").write_text(containerd_configuration(cluster))
    leftovers.create_cgroup(node.cgroup)


def _start(cluster: State) -> None:
    node = state_of(cluster)
    processes = ProcessTable(node.pids, node.logs)
    processes.ensure(components.containerd(node))
    wait_until(
        lambda: runtime_status(node) == "ok" and serves_kubelet(node),
        "the second node's containerd answers",
        within_seconds=PATIENCE_SECONDS,
    )
    if not processes.running("kubelet") and not ctr(node, "containers", "list", "--quiet").stdout:
        kubectl(cluster, "delete", "node", NAME, "--ignore-not-found")  # it would count as ready until it is heard
    processes.ensure(_kubelet(cluster))
    wait_until(lambda: node_is_ready(cluster, NAME), "the second node is ready", within_seconds=PATIENCE_SECONDS)


def _kubelet(cluster: State) -> Component:
    node = state_of(cluster)
    return components.component(
        node,
        "kubelet",
        f"--config={node.configuration / 'kubelet.json'}",
        f"--kubeconfig={kubeconfig_file(node, _IDENTITY.name)}",
        f"--root-dir={node.kubelet}",
        f"--cert-dir={node.kubelet / 'pki'}",
        f"--hostname-override={NAME}",
        f"--node-ip={network.NODE_ADDRESS}",
        f"--node-labels={LABEL}=true",
        program=cluster.bin / "kubelet",
    )
