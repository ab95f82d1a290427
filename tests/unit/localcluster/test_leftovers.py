"""What a killed cluster left is told from what is others'."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcluster.leftovers import is_ours, mounts_below
from localcluster.state import State

STATE = State(Path("/var/tmp/streamjob"))  # noqa: S108 - only named
SHIM = "/usr/bin/containerd-shim-runc-v2"


@pytest.mark.parametrize(
    ("program", "command", "ours"),
    [
        (f"{STATE.bin}/etcd", ["etcd"], True),
        (f"{STATE.bin}/kubelet (deleted)", ["kubelet"], True),
        (f"{STATE.bin}/registry", ["registry"], False),
        (f"{STATE.bin}/kubectl", ["kubectl", "logs", "-f"], False),
        ("/usr/bin/etcd", ["etcd"], False),
        ("/usr/bin/containerd", ["containerd", "--config", f"{STATE.configuration}/containerd.toml"], True),
        ("/usr/bin/containerd", ["containerd"], False),
        (SHIM, ["containerd-shim-runc-v2", "-address", str(STATE.containerd_socket)], True),
        (SHIM, ["containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"], False),
        ("/usr/bin/less", ["less", f"{STATE.configuration}/Corefile"], False),
    ],
)
def test_only_processes_of_this_cluster_are_ended(program: str, command: list[str], ours: bool) -> None:
    assert is_ours(STATE, program, command) is ours


def test_mounts_are_undone_from_the_innermost() -> None:
    mountinfo = "\n".join(
        f"{number} 1 0:{number} / {target} rw - tmpfs tmpfs rw"
        for number, target in enumerate(["/", "/run/a", "/run/a/b", "/run/ab", r"/run/a/with\040blank"])
    )
    assert mounts_below(mountinfo, [Path("/run/a")]) == ["/run/a/with blank", "/run/a/b", "/run/a"]
