"""The cluster's own kubectl, and containerd's command line, pointed at one state folder's cluster."""

from __future__ import annotations

import socket
import subprocess

import grpc

from localcluster.certificates import NODE_NAME
from localcluster.problems import ClusterError
from localcluster.state import State

TIMEOUT_SECONDS = 300


def kubectl(state: State, *arguments: str, text: str | None = None) -> str:
    """Run kubectl as the cluster's administrator.

    Raises:
        ClusterError: with kubectl's own message.
    """
    argv = [str(state.bin / "kubectl"), f"--kubeconfig={state.kubeconfig}", *arguments]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    if done.returncode != 0:
        raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def accepts(port: int) -> bool:
    """Whether something on this machine takes connections at the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def api_server_is_ready(state: State) -> bool:
    try:
        return kubectl(state, "get", "--raw", "/readyz", "--request-timeout=20s") == "ok"
    except ClusterError:
        return False


def node_is_ready(state: State, name: str = NODE_NAME) -> bool:
    """Whether a node, by default the cluster's own, has been seen and says that it is ready."""
    path = "{.status.conditions[?(@.type=='Ready')].status}"
    try:
        return kubectl(state, "get", "node", name, "-o", f"jsonpath={path}", "--request-timeout=20s") == "True"
    except ClusterError:
        return False


def ctr(state: State, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run containerd's command line in the namespace that kubelet uses."""
    argv = ["ctr", "--address", str(state.containerd_socket), "--namespace", "k8s.io", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)


def runtime_status(state: State) -> str | None:
    """What containerd says of its part that serves kubelet: ``ok``, ``error``; None while it does not answer."""
    return plugin_status(ctr(state, "plugins", "list").stdout, "cri")


def serves_kubelet(state: State) -> bool:
    """Whether containerd answers kubelet's first call: its part for kubelet is ``ok`` a moment before that."""
    with grpc.insecure_channel(f"unix://{state.containerd_socket}") as channel:
        version: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/runtime.v1.RuntimeService/Version")
        try:
            version(b"", timeout=20, wait_for_ready=True)
        except grpc.RpcError:
            return False
    return True


def plugin_status(listed: str, plugin: str) -> str | None:
    """The last column of a plugin's line in ``ctr plugins list``."""
    lines = (line.split() for line in listed.splitlines())
    return next((words[-1] for words in lines if words[1:2] == [plugin]), None)
