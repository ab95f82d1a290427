"""How each program of the cluster is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from localcluster import images, network
from localcluster.certificates import NODE_NAME, kubeconfig_file
from localcluster.processes import Component
from localcluster.state import State

# /usr/sbin: iptables, conntrack; containerd's shim and runc are found by this path too
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
API_PORT = 6443
CONTROLLER_PORTS = (10257, 10259)
PORTS = {
    (network.NODE_ADDRESS, API_PORT): "kube-apiserver",
    (network.NODE_ADDRESS, 10250): "kubelet",
    ("127.0.0.1", ETCD_PORT): "etcd",
    ("127.0.0.1", ETCD_PEER_PORT): "etcd",
    ("127.0.0.1", 5001): "registry",
    ("127.0.0.1", 8181): "coredns",
    ("127.0.0.1", 10248): "kubelet",
    ("127.0.0.1", 10249): "kube-proxy",
    ("127.0.0.1", 10256): "kube-proxy",
    ("127.0.0.1", 10257): "kube-controller-manager",
    ("127.0.0.1", 10259): "kube-scheduler",
}


def component(
    state: State, name: str, *arguments: str, program: Path | None = None, environment: Mapping[str, str] | None = None
) -> Component:
    given = {"PATH": SEARCH_PATH, "HOME": "/root", **(environment or {})}
    return Component(name, (str(program or state.bin / name), *arguments), given)


def etcd(state: State) -> Component:
    """etcd that never waits for the disk: the data are worth nothing after a power cut."""
    client = f"https://127.0.0.1:{ETCD_PORT}"
    peer = f"http://127.0.0.1:{ETCD_PEER_PORT}"
    key, certificate, authority = _certificate(state, "etcd")
    return component(
        state,
        "etcd",
        f"--data-dir={state.etcd}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        f"--trusted-ca-file={authority}",
        "--client-cert-auth",
        "--log-level=warn",
    )


def api_server(state: State) -> Component:
    """The API server with the admission plugins that are on by default, and NodeRestriction."""
    key, certificate, authority = _certificate(state, "apiserver")
    service_accounts = state.certificates / "service-accounts.key"
    return component(
        state,
        "kube-apiserver",
        f"--advertise-address={network.NODE_ADDRESS}",
        f"--bind-address={network.NODE_ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--etcd-servers=https://127.0.0.1:{ETCD_PORT}",
        f"--etcd-cafile={authority}",
        f"--etcd-certfile={certificate}",
        f"--etcd-keyfile={key}",
        f"--client-ca-file={authority}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--kubelet-client-certificate={certificate}",
        f"--kubelet-client-key={key}",
        f"--kubelet-certificate-authority={authority}",
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={network.SERVICE_RANGE}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={service_accounts}",
        f"--service-account-signing-key-file={service_accounts}",
        "--allow-privileged",
        "--profiling=false",
        environment={"GOGC": "300"},  # a sixth less CPU for a gigabyte of memory
    )


def controller_manager(state: State) -> Component:
    """The controllers; alone, so without leader election. A busy machine is no lost node: two minutes of grace."""
    return component(
        state,
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig_file(state, 'kube-controller-manager')}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials",  # each controller has its own rights
        f"--root-ca-file={state.certificates / 'ca.crt'}",
        f"--service-account-private-key-file={state.certificates / 'service-accounts.key'}",
        f"--cluster-signing-cert-file={state.certificates / 'ca.crt'}",
        f"--cluster-signing-key-file={state.certificates / 'ca.key'}",
        "--node-monitor-grace-period=120s",
        "--profiling=false",
    )


def scheduler(state: State) -> Component:
    return component(
        state,
        "kube-scheduler",
        f"--kubeconfig={kubeconfig_file(state, 'kube-scheduler')}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
    )


def containerd(state: State) -> Component:
    program = Path("/usr/bin/containerd")
    return component(state, "containerd", "--config", str(state.configuration / "containerd.toml"), program=program)


def kubelet(state: State) -> Component:
    return component(
        state,
        "kubelet",
        f"--config={state.configuration / 'kubelet.json'}",
        f"--kubeconfig={kubeconfig_file(state, 'kubelet')}",
        f"--root-dir={state.kubelet}",
        f"--cert-dir={state.kubelet / 'pki'}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={network.NODE_ADDRESS}",
    )


def kube_proxy(state: State) -> Component:
    return component(
        state,
        "kube-proxy",
        f"--config={state.configuration / 'kube-proxy.json'}",
        f"--hostname-override={NODE_NAME}",
    )


def coredns(state: State) -> Component:
    return component(state, "coredns", "-conf", str(state.configuration / "Corefile"))


def provisioner(state: State) -> Component:
    """Makes and removes the folders behind PersistentVolumes, by short pods on the node."""
    return component(
        state,
        "local-path-provisioner",
        "start",
        "--kubeconfig",
        str(kubeconfig_file(state, "admin")),
        "--config",
        str(state.configuration / "provisioner.json"),
        "--helper-image",
        images.BUSYBOX,
        "--namespace",
        "local-path-storage",
        "--configmap-name",
        "local-path-config",
    )


def _certificate(state: State, name: str) -> tuple[Path, Path, Path]:
    folder = state.certificates
    return folder / f"{name}.key", folder / f"{name}.crt", folder / "ca.crt"


STORE, API, CONTROLLERS = (etcd,), (api_server,), (controller_manager, scheduler)
NODE = (kubelet, kube_proxy, coredns, provisioner)


def names() -> list[str]:
    """Every component, in the order of starting."""
    nowhere = State(Path(os.sep))
    starters = (*STORE, *API, *CONTROLLERS, containerd, *NODE)
    return ["registry", *(starter(nowhere).name for starter in starters)]
