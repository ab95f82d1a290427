"""One certificate authority for one life of the cluster, and what it signs."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localcluster import network
from localcluster.state import State

NODE_NAME = "streamjob-local"
KEY_OPTIONS = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-sha256")


@dataclass(frozen=True)
class Identity:
    """A certificate's file name and subject; Kubernetes reads user from CN and group from O."""

    name: str
    common_name: str
    organisation: str = ""
    alternative_names: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return (f"/O={self.organisation}" if self.organisation else "") + f"/CN={self.common_name}"


API_SERVER = Identity(
    "apiserver",
    "kube-apiserver",
    "system:masters",  # as which it speaks to kubelet
    (
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        "DNS:kubernetes.default.svc.cluster.local",
        "DNS:localhost",
        f"IP:{network.KUBERNETES_SERVICE}",
        f"IP:{network.NODE_ADDRESS}",
        "IP:127.0.0.1",
    ),
)
ETCD = Identity("etcd", "etcd", alternative_names=("IP:127.0.0.1",))
KUBELET = Identity("kubelet", f"system:node:{NODE_NAME}", "system:nodes", (f"IP:{network.NODE_ADDRESS}",))
CLIENTS = (
    Identity("admin", "admin", "system:masters"),
    Identity("kube-controller-manager", "system:kube-controller-manager"),
    Identity("kube-scheduler", "system:kube-scheduler"),
    Identity("kube-proxy", "system:kube-proxy"),
    KUBELET,
)


def create(state: State) -> None:
    """Write the authority, every certificate, the service accounts' key and the kubeconfig files."""
    state.certificates.mkdir(parents=True, exist_ok=True)
    state.certificates.chmod(0o700)
    _openssl("req", "-x509", *KEY_OPTIONS, "-subj", "/CN=streamjob-local-ca", *_files(state, "ca"))
    for identity in (API_SERVER, ETCD, *CLIENTS):
        sign(state, identity)
    _openssl("genpkey", "-algorithm", "RSA", "-out", str(state.certificates / "service-accounts.key"))
    for identity in CLIENTS:
        write_private(kubeconfig_file(state, identity.name), json.dumps(kubeconfig(state, identity.name), indent=2))
    write_private(state.kubeconfig, kubeconfig_file(state, "admin").read_text())


def kubeconfig_file(state: State, name: str) -> Path:
    return state.certificates / f"{name}.kubeconfig"


def kubeconfig(state: State, name: str) -> dict[str, object]:
    """A kubeconfig that holds its certificates, so that a copy of the file works too."""
    folder = state.certificates

    def encoded(file: str) -> str:
        return base64.b64encode((folder / file).read_bytes()).decode()

    user = {"client-certificate-data": encoded(f"{name}.crt"), "client-key-data": encoded(f"{name}.key")}
    server = {"server": f"https://{network.NODE_ADDRESS}:6443", "certificate-authority-data": encoded("ca.crt")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "streamjob-local", "cluster": server}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "streamjob-local", "context": {"cluster": "streamjob-local", "user": name}}],
        "current-context": "streamjob-local",
    }


def write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def sign(state: State, identity: Identity) -> None:
    """Write a key and a certificate of the authority whose files lie in the state folder."""
    extensions = ["-addext", "extendedKeyUsage=serverAuth,clientAuth", "-addext", "basicConstraints=critical,CA:FALSE"]
    if identity.alternative_names:
        extensions += ["-addext", f"subjectAltName={','.join(identity.alternative_names)}"]
    authority = ["-CA", str(state.certificates / "ca.crt"), "-CAkey", str(state.certificates / "ca.key")]
    files = _files(state, identity.name)
    _openssl("req", "-x509", *KEY_OPTIONS, *authority, "-subj", identity.subject, *extensions, *files)


def _files(state: State, name: str) -> list[str]:
    return ["-keyout", str(state.certificates / f"{name}.key"), "-out", str(state.certificates / f"{name}.crt")]


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
