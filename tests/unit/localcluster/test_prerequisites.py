"""Everything that is missing is named at once, each with what to do about it."""

from __future__ import annotations

import pytest

from localcluster.prerequisites import BUILD_BYTES, Facts, problems
from localcluster.problems import MissingPrerequisitesError


def test_a_machine_with_everything_has_no_problem() -> None:
    assert problems(Facts()) == []


@pytest.mark.parametrize(
    ("facts", "what", "remedy"),
    [
        (Facts(system="Darwin"), "runs on Linux only, this is Darwin", "KUBECONFIG"),
        (Facts(user_id=1000), "needs root", "sudo"),
        (Facts(machine="riscv64"), "riscv64", ["amd64", "aarch64"][1]),
        (Facts(missing_packages=("runc", "iptables")), "runc iptables", "apt-get install runc iptables"),
        (Facts(missing_controllers=("memory",)), "controllers are not mounted: memory", "/sys/fs/cgroup"),
        (Facts(unwritable_settings=("net.ipv4.ip_forward",)), "net.ipv4.ip_forward", "sysctl -w net.ipv4.ip_forward=1"),
        (Facts(has_overlay=False), "overlay", "modprobe overlay"),
        (Facts(has_go_source=False), "no Go toolchain", "install Go"),
        (Facts(root_path_bytes=100), "100 bytes", "STREAMJOB_STATE"),
        (
            Facts(free_bytes=BUILD_BYTES // 2),
            "10.0 GiB are free at the state folder, 20.0 GiB are",
            "STREAMJOB_STATE",
        ),
        (Facts(taken={"127.0.0.1:2379": "etcd"}), "127.0.0.1:2379 is in use; the cluster needs it for etcd", "stop"),
    ],
)
def test_what_is_missing_is_said_with_its_remedy(facts: Facts, what: str, remedy: str) -> None:
    (problem,) = problems(facts)
    assert what in problem.what
    assert remedy in problem.remedy


def test_all_problems_are_said_at_once() -> None:
    found = problems(Facts(user_id=1000, missing_packages=("runc",), has_overlay=False))
    message = str(MissingPrerequisitesError(found))
    assert [line[:2] for line in message.splitlines()] == ["- "] * 3
    assert message.count("Remedy: ") == 3
