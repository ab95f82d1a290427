"""The configuration files of the cluster's components, as text or as objects that become JSON."""

from __future__ import annotations

import json
from typing import Any

from localcluster import images, network, registry
from localcluster.certificates import kubeconfig_file
from localcluster.state import State

DOMAIN = "cluster.local"


def containerd(state: State, cni_plugins: str) -> str:
    """containerd 1.6: own folders and socket, images of ``localhost:5001`` from the local registry."""
    return f"""\
version = 2
root = "{state.containerd}"
state = "{state.run}/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.restart",
]
[grpc]
  address = "{state.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.BUSYBOX}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stats_collect_period = 60
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{cni_plugins}"
  conf_dir = "{state.configuration}/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{state.configuration}/registries"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  Root = "{state.run}/runc"
"""


def registry_hosts() -> str:
    """Where containerd finds the images of the local registry: over plain HTTP, and not over IPv6."""
    return f"""\
server = "http://{registry.HOST}:{registry.PORT}"
[host."http://{registry.HOST}:{registry.PORT}"]
  capabilities = ["pull", "resolve"]
"""


def kubelet(state: State) -> dict[str, Any]:
    """Kubelet's configuration. A full disk or little memory of the developer's machine evicts no pod for long."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": network.NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(state.certificates / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(state.certificates / "kubelet.crt"),
        "tlsPrivateKeyFile": str(state.certificates / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{state.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": state.cgroup,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "clusterDNS": [network.NODE_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": str(state.configuration / "resolv.conf"),
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 98,
        "imageGCLowThresholdPercent": 95,
        "maxPods": 250,
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "10s",
        "shutdownGracePeriod": "0s",
    }


def kube_proxy(state: State) -> dict[str, Any]:
    """kube-proxy's configuration; it leaves the host's connection tracking limits alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": network.POD_RANGE,
        "bindAddress": network.NODE_ADDRESS,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(kubeconfig_file(state, "kube-proxy"))},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def corefile(state: State, has_upstream: bool) -> str:
    """CoreDNS for the cluster's names; other names go to the host's name servers, if it has any.

    "No such name" is not remembered: a test that has just created a Service asks again and finds it.
    """
    forward = "    forward . /etc/resolv.conf\n" if has_upstream else ""
    return f"""\
.:53 {{
    bind {network.NODE_ADDRESS}
    errors
    ready 127.0.0.1:8181
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig_file(state, "admin")}
        fallthrough in-addr.arpa
        ttl 5
    }}
    cache 5 {{
        disable denial
    }}
{forward}}}
"""


def has_name_server(resolv_conf: str) -> bool:
    return any(line.split()[:1] == ["nameserver"] for line in resolv_conf.splitlines())


def provisioner(state: State) -> dict[str, Any]:
    """local-path-provisioner: a folder below the state folder for each volume."""
    paths = [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(state.volumes)]}]
    return {"nodePathMap": paths}


def write(state: State, cni_plugins: str, resolv_conf: str) -> None:
    """Write every configuration file of the cluster."""
    files = {
        "containerd.toml": containerd(state, cni_plugins),
        f"registries/{registry.ADDRESS}/hosts.toml": registry_hosts(),
        "cni/10-streamjob.conflist": json.dumps(network.cni_configuration(state), indent=2),
        "kubelet.json": json.dumps(kubelet(state), indent=2),
        "kube-proxy.json": json.dumps(kube_proxy(state), indent=2),
        "Corefile": corefile(state, has_name_server(resolv_conf)),
        "resolv.conf": f"nameserver {network.NODE_ADDRESS}\n",
        "provisioner.json": json.dumps(provisioner(state), indent=2),
    }
    for name, text in files.items():
        path = state.configuration / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
