"""Starting, looking at and removing the cluster. Every step may be repeated and does only what is missing."""

from __future__ import annotations

import platform
from pathlib import Path

from localcluster import (
    certificates,
    components,
    configuration,
    go_tools,
    images,
    leftovers,
    network,
    prerequisites,
    registry,
    second_node,
)
from localcluster.client import node_is_ready
from localcluster.processes import ProcessTable
from localcluster.progress import Progress
from localcluster.starting import Start
from localcluster.state import State

RESOLV_CONF = Path("/etc/resolv.conf")


def up(state: State, progress: Progress) -> None:
    """Bring the cluster up, whatever state it is in.

    As long as its etcd lives, only what is missing is started. Without it, everything begins anew: what is left of the
    former life is removed, and the objects in it are gone.
    """
    processes = ProcessTable(state.pids, state.logs)
    is_cold = processes.running("etcd") is None or network.owner() != state.identity
    prerequisites.ensure_packages(progress)
    prerequisites.check(state, is_cold=False)
    if is_cold:
        second_node.remove(state)
        leftovers.end_processes(state, processes, components.names())
        prerequisites.check(state, is_cold=True)  # before anything is removed: another cluster may be running
        _remove_former(state, progress)
    for module in go_tools.ALL_MODULES:
        go_tools.build(module, state, progress)
    registry.start(state, processes, progress)
    images.ensure_busybox(state, platform.machine(), progress)
    if is_cold:
        _prepare(state, progress)
    Start(state, processes, progress).everything()


def down(state: State, progress: Progress, *, everything: bool) -> None:
    """Remove the cluster; with ``everything``, built programs, images and logs too."""
    processes = ProcessTable(state.pids, state.logs)
    with progress.step("Stop the cluster and remove what it leaves"):
        second_node.remove(state)
        leftovers.end_processes(state, processes, components.names())
        processes.stop("registry")
        leftovers.remove(state)
    if everything:
        with progress.step(f"Remove {state.root}"):
            leftovers.remove_folders([state.root, *state.run.parent.glob(f"{state.run.name}*")])


def status(state: State, progress: Progress) -> int:
    """Print what runs; 0 when all of it does and the node is ready."""
    processes = ProcessTable(state.pids, state.logs)
    marks = {name: processes.running(name) for name in components.names()}
    for name, mark in marks.items():
        print(f"{name:<24} {f'running, pid {mark.pid}' if mark else 'not running'}")
    is_ready = all(marks.values()) and node_is_ready(state)
    print(f"{'node':<24} {'ready' if is_ready else 'not ready'}")
    if is_ready:
        print(f"export KUBECONFIG={state.kubeconfig}")
    else:
        progress.say("'python -m localcluster up' starts what is missing")
    return 0 if is_ready else 1


def _remove_former(state: State, progress: Progress) -> None:
    if state.cluster.exists() or state.run.exists() or network.owner() is not None:
        with progress.step("Remove what a former cluster left"):
            leftovers.remove(state)


def _prepare(state: State, progress: Progress) -> None:
    """Everything that a new life of the cluster needs before its first process."""
    with progress.step("Make certificates, configuration, bridge and cgroup"):
        network.remove()  # also what another state folder's cluster left, or rules without their bridge
        for folder in (state.etcd, state.kubelet, state.volumes, state.run, state.containerd, state.logs):
            folder.mkdir(parents=True, exist_ok=True)
        state.etcd.chmod(0o700)
        certificates.create(state)
        configuration.write(state, prerequisites.CNI_PLUGINS, RESOLV_CONF.read_text() if RESOLV_CONF.exists() else "")
        leftovers.create_cgroup(state.cgroup)
        network.create(state)
        for log in state.logs.glob("*.log"):
            if log.stem != "registry":
                log.unlink()
