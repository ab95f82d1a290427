"""The configuration files say what the programs need, in the programs' own words."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from localcluster import components, configuration, images, manifests, network
from localcluster.client import plugin_status
from localcluster.state import LONGEST_ROOT, State, state_folder

STATE = State(Path("/var/tmp/streamjob"))  # noqa: S108 - only named


def test_containerd_keeps_to_the_state_folder() -> None:
    config = tomllib.loads(configuration.containerd(STATE, "/usr/lib/cni"))
    assert config["root"] == str(STATE.containerd)
    assert config["grpc"]["address"] == str(STATE.containerd_socket)
    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == images.BUSYBOX
    assert cri["registry"]["config_path"] == f"{STATE.configuration}/registries"


def test_images_of_localhost_5001_come_from_the_local_registry(tmp_path: Path) -> None:
    state = State(tmp_path)
    configuration.write(state, "/usr/lib/cni", "nameserver 192.0.2.1\n")
    hosts = tomllib.loads((state.configuration / "registries" / "localhost:5001" / "hosts.toml").read_text())
    assert hosts["host"] == {"http://127.0.0.1:5001": {"capabilities": ["pull", "resolve"]}}


def test_pods_ask_the_clusters_dns() -> None:
    assert configuration.kubelet(STATE)["clusterDNS"] == [network.NODE_ADDRESS]
    assert f"bind {network.NODE_ADDRESS}" in configuration.corefile(STATE, has_upstream=True)


@pytest.mark.parametrize(
    ("resolv_conf", "forwards"), [("nameserver 192.0.2.1\n", True), ("search example.org\n# nameserver x\n", False)]
)
def test_other_names_are_forwarded_only_where_the_host_has_a_name_server(resolv_conf: str, forwards: bool) -> None:
    assert configuration.has_name_server(resolv_conf) is forwards
    assert ("forward" in configuration.corefile(STATE, has_upstream=forwards)) is forwards


def test_two_state_folders_share_neither_sockets_nor_cgroups_nor_addresses() -> None:
    other = State(Path("/var/tmp/other"))  # noqa: S108 - only named
    assert {STATE.run, STATE.cgroup}.isdisjoint({other.run, other.cgroup})
    assert network.cni_configuration(STATE)["name"] != network.cni_configuration(other)["name"]


def test_the_longest_allowed_folder_still_holds_kubelets_sockets() -> None:
    longest = State(Path("/" + "x" * (LONGEST_ROOT - 1)))
    assert len(str(longest.kubelet / "device-plugins" / "kubelet.sock")) == 107


def test_state_folder_is_named_by_the_environment(tmp_path: Path) -> None:
    assert state_folder({"STREAMJOB_STATE": str(tmp_path)}).root == tmp_path
    assert state_folder({}).root == Path.home() / ".cache" / "streamjob"


def test_every_port_is_listened_at_by_a_component() -> None:
    assert set(components.PORTS.values()) <= set(components.names())


def test_the_only_default_storage_class_binds_where_the_pod_is() -> None:
    (storage_class,) = (item for item in manifests.storage() if item["kind"] == "StorageClass")
    assert storage_class["metadata"]["name"] == "standard"
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"
    assert json.loads(manifests.as_list(manifests.storage()))["kind"] == "List"


def test_a_plugins_status_is_its_last_column() -> None:
    listed = "TYPE ID PLATFORMS STATUS\nio.containerd.grpc.v1 cri linux/amd64 error\nio.containerd.grpc.v1 tasks - ok\n"
    assert plugin_status(listed, "cri") == "error"
    assert plugin_status(listed, "tasks") == "ok"
    assert plugin_status("", "cri") is None
