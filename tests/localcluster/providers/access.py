"""What every cluster offers once its kubeconfig is known."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from localcluster.problems import ClusterError
from localcluster.providers.port_forward import PortForward
from localcluster.waiting import wait_until

LONGEST_SECONDS = 1800  # commands bring time-outs of their own; this one is for those that hang


@dataclass(frozen=True)
class Access:
    """kubectl and Helm, pointed at one cluster.

    Attributes:
        kubeconfig: The cluster is its current context.
        kubectl_program: kubectl of about the cluster's version.
        helm_program: Helm 3.
    """

    kubeconfig: Path
    kubectl_program: Path
    helm_program: Path

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        return self._run(self.kubectl_program, arguments, input)

    def helm(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        return self._run(self.helm_program, arguments, input)

    def create_namespace(self, name: str) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.kubectl("apply", "-f", "-", input=json.dumps(namespace))
        query = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name", "-n", name)
        wait_until(lambda: bool(self.kubectl(*query)), f"namespace {name} has a service account", within_seconds=180)

    def port_forward(
        self, namespace: str, target: str, port: int, *, local_port: int = 0
    ) -> AbstractContextManager[int]:
        kubectl = (str(self.kubectl_program), f"--kubeconfig={self.kubeconfig}", f"--namespace={namespace}")
        return PortForward(kubectl, target, port, local_port)

    def _run(self, program: Path, arguments: tuple[str, ...], text: str | None) -> str:
        argv = [str(program), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(
            argv,
            input=text,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
        )
        if done.returncode != 0:
            raise ClusterError(f"{program.name} {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout
