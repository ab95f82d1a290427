"""Starting the cluster's processes in their order, and waiting until they do their work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from localcluster import components, leftovers, manifests
from localcluster.client import (
    accepts,
    api_server_is_ready,
    ctr,
    kubectl,
    node_is_ready,
    runtime_status,
    serves_kubelet,
)
from localcluster.problems import ClusterError
from localcluster.processes import Component, ProcessTable
from localcluster.progress import Progress
from localcluster.state import State
from localcluster.waiting import wait_until

PATIENCE_SECONDS = 300.0  # of every wait: a step takes a few seconds, many more where all cores are busy


class Start:
    """One pass that starts what does not run."""

    def __init__(self, state: State, processes: ProcessTable, progress: Progress) -> None:
        self.state = state
        self.processes = processes
        self.progress = progress
        self._expected: set[str] = set()  # has been started by now, in this pass or an earlier one

    def everything(self) -> None:
        """Start all components; on return the node is ready and, once in a cluster's life, a pod has shown it."""
        self._control_plane()
        self._containerd()
        self._node()
        if not self.state.ready.exists():
            self._smoke_test()
            self.state.ready.touch()

    def _control_plane(self) -> None:
        """One after the other, however slow the machine: each of these ends when the one before does not answer soon.

        The API server waits 20 s for etcd, the controllers 10 s for the API server.
        """
        with self._starting("Start etcd", components.STORE):
            self._wait(lambda: accepts(components.ETCD_PORT), "etcd answers")
        with self._starting("Start the API server", components.API):
            self._wait(lambda: api_server_is_ready(self.state), "the API server is ready")
        with self._starting("Start controllers and scheduler", components.CONTROLLERS):
            self._wait(lambda: all(map(accepts, components.CONTROLLER_PORTS)), "controllers and scheduler answer")
        if not self.state.ready.exists():
            self._apply(manifests.storage())

    def _containerd(self) -> None:
        wanted = components.containerd(self.state)
        if self.processes.running(wanted.name) and runtime_status(self.state) == "ok":
            self._expected.add(wanted.name)
            return
        with self.progress.step("Start containerd"):
            try:
                self._start_containerd(wanted)
            except ClusterError as error:
                self.progress.say(f"containerd's store is made anew, images are pulled again: {error}")
                self.processes.stop(wanted.name)
                leftovers.unmount_below([self.state.containerd])
                shutil.rmtree(self.state.containerd)
                self._start_containerd(wanted)

    def _start_containerd(self, wanted: Component) -> None:
        self._restart(wanted)
        if not self.state.ready.exists() and self._forget_containers():
            self._restart(wanted)  # it has read them at its start and would report them to kubelet

    def _restart(self, wanted: Component) -> None:
        self.processes.stop(wanted.name)
        self._ensure(wanted)
        self._wait(self._runtime_is_ready, "containerd answers")

    def _runtime_is_ready(self) -> bool:
        status = runtime_status(self.state)
        if status not in {"ok", None}:
            raise ClusterError(f"containerd's runtime service is in state {status}")
        return status == "ok" and serves_kubelet(self.state)

    def _forget_containers(self) -> bool:
        """Remove the records of a former life's containers; their images stay."""
        former = ctr(self.state, "containers", "list", "--quiet").stdout.split()
        if former:
            ctr(self.state, "containers", "remove", *former)
        return bool(former)

    def _node(self) -> None:
        with self._starting("Start kubelet, kube-proxy, CoreDNS and the volume provisioner", components.NODE):
            self._wait(lambda: node_is_ready(self.state), "the node is ready")

    def _smoke_test(self) -> None:
        with self.progress.step("Resolve a Service's name and bind a volume in a pod"):
            self._forget_smoke_test(wait=True)
            self._apply(manifests.smoke_test()[:1])
            self._wait(self._may_make_pods, "the smoke test's namespace has a service account")
            self._apply(manifests.smoke_test())
            try:
                self._wait(lambda: self._smoke_phase() in {"Succeeded", "Failed"}, "the smoke test's pod has ended")
            except ClusterError as error:
                raise ClusterError(f"{error}\n{self._of_smoke_test('describe', 'pod')}") from error
            if self._smoke_phase() != "Succeeded":
                raise ClusterError(f"the smoke test failed:\n{self._of_smoke_test('logs')}")
            self._forget_smoke_test(wait=False)

    def _forget_smoke_test(self, *, wait: bool) -> None:
        arguments = ("delete", "namespace", manifests.SMOKE_TEST, "--ignore-not-found", f"--wait={wait}".lower())
        kubectl(self.state, *arguments)

    def _may_make_pods(self) -> bool:
        account = ("get", "serviceaccount", "default", "--ignore-not-found", "-o=name", f"-n={manifests.SMOKE_TEST}")
        return bool(kubectl(self.state, *account))

    def _smoke_phase(self) -> str:
        return self._of_smoke_test("get", "pod", "--output=jsonpath={.status.phase}")

    def _of_smoke_test(self, *arguments: str) -> str:
        return kubectl(self.state, *arguments, manifests.SMOKE_TEST, f"--namespace={manifests.SMOKE_TEST}")

    @contextmanager
    def _starting(self, title: str, starters: tuple[Callable[[State], Component], ...]) -> Iterator[None]:
        """Start what does not run; what follows is awaited, and is a step only if something had to be started."""
        wanted = [starter(self.state) for starter in starters]
        if all(self.processes.running(component.name) for component in wanted):
            yield
            return
        with self.progress.step(title):
            for component in wanted:
                self._ensure(component)
            yield

    def _ensure(self, component: Component) -> None:
        self.processes.ensure(component)
        self._expected.add(component.name)

    def _wait(self, probe: Callable[[], bool], what: str) -> None:
        """Wait, but not for a component that has ended: then its last words are the message."""
        wait_until(lambda: self._all_alive() and probe(), what, within_seconds=PATIENCE_SECONDS)

    def _all_alive(self) -> bool:
        for name in self._expected:
            if not self.processes.running(name):
                raise ClusterError(f"{name} has ended:\n{self.processes.last_words(name)}")
        return True

    def _apply(self, objects: list[dict[str, Any]]) -> None:
        kubectl(self.state, "apply", "-f", "-", text=manifests.as_list(objects))
