"""The local cluster after everything that may happen to it, on a machine within the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.eventually import eventually
from fixtures.sandbox import Sandbox
from localcluster import go_tools, images, leftovers, prerequisites
from localcluster.progress import Progress
from localcluster.state import State, state_folder

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
WORKLOAD = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: writer}}
spec:
  containers:
    - name: writer
      image: {images.BUSYBOX}
      command: [sh, -c, "while true; do date >> /data/log; sleep 1; done"]
      volumeMounts: [{{name: data, mountPath: /data}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""


class Machine(Sandbox):
    """A sandbox with a state folder of its own, in which the expensive things are there already."""

    def __init__(self, state: State) -> None:
        self.state = state
        super().__init__({"STREAMJOB_STATE": str(state.root), "PYTHONPATH": str(ROOT / "tests")})

    def localcluster(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "localcluster", *arguments).stdout

    def up(self) -> str:
        return self.localcluster("up").splitlines()[-1]

    def kubectl(self, *arguments: str) -> str:
        command = (str(self.state.bin / "kubectl"), f"--kubeconfig={self.state.kubeconfig}")
        return self.run(*command, *arguments).stdout

    def start_workload(self, folder: Path) -> None:
        """A pod that writes to a volume, and runs."""
        manifest = folder / "workload.yaml"
        manifest.write_text(WORKLOAD)
        query = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
        eventually(lambda: self.kubectl(*query), until=bool)
        self.kubectl("apply", "-f", str(manifest))
        self.kubectl("wait", "--for=condition=Ready", "pod/writer", "--timeout=120s")

    def pids(self) -> dict[str, str]:
        return {file.stem: file.read_text() for file in self.state.pids.glob("*.pid")}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    built = state_folder(os.environ)
    prerequisites.ensure_packages(Progress())
    for module in go_tools.ALL_MODULES:
        go_tools.build(module, built, Progress())
    images.busybox_program(built)
    # beside the built programs, which are linked, not copied; below /tmp the path would be another file system's
    with tempfile.TemporaryDirectory(dir=built.root.parent, prefix="recovery-") as folder:
        state = State(Path(folder).resolve())
        shutil.copytree(built.bin, state.bin, copy_function=os.link)
        shutil.copytree(built.images / "busybox-static", state.images / "busybox-static", symlinks=True)
        machine = Machine(state)
        with machine:
            yield machine
            machine.localcluster("down")


def test_second_up_is_quick_and_starts_nothing(machine: Machine) -> None:
    line = machine.up()
    before = machine.pids()
    began = time.monotonic()
    assert machine.up() == line == f"export KUBECONFIG={machine.state.kubeconfig}"
    assert time.monotonic() - began < 5
    assert machine.pids() == before


@pytest.mark.parametrize("killed", ["kube-apiserver", "containerd", "kubelet", "coredns", "local-path-provisioner"])
def test_up_replaces_a_killed_component_and_keeps_what_was_applied(machine: Machine, killed: str) -> None:
    machine.up()
    machine.kubectl("create", "configmap", f"before-{killed}")
    before = machine.pids()
    machine.run("kill", "-9", before[killed].split()[0])
    machine.up()
    assert {name for name, mark in machine.pids().items() if mark != before[name]} == {killed}
    assert f"before-{killed}" in machine.kubectl("get", "configmaps", "-o", "name")


def test_up_after_kill_9_of_everything(machine: Machine, tmp_path: Path) -> None:
    machine.up()
    machine.start_workload(tmp_path)
    machine.kill_everything()
    eventually(machine.processes, until=lambda processes: processes == [])
    machine.up()
    assert machine.kubectl("get", "pods", "-o", "name") == ""
    machine.start_workload(tmp_path)


def test_up_after_kill_9_of_all_but_the_pods(machine: Machine, tmp_path: Path) -> None:
    machine.up()
    machine.start_workload(tmp_path)
    for mark in machine.pids().values():
        machine.run("kill", "-9", mark.split()[0])
    machine.run("pkill", "-9", "-f", str(machine.state.containerd_socket))  # the shims
    assert [line for line in machine.processes() if "/data/log" in line]
    machine.up()
    assert not [line for line in machine.processes() if "/data/log" in line]
    machine.start_workload(tmp_path)


def test_up_after_a_reboot(machine: Machine, tmp_path: Path) -> None:
    machine.up()
    machine.start_workload(tmp_path)
    machine.reboot()
    assert machine.processes() == []
    machine.up()
    machine.start_workload(tmp_path)


def test_up_after_the_content_store_was_cut_off(machine: Machine) -> None:
    machine.up()
    machine.kill_everything()
    database = machine.state.containerd / "io.containerd.metadata.v1.bolt" / "meta.db"
    database.write_bytes(b"\0" * 4096)
    machine.up()


def test_down_leaves_nothing_on_the_machine(machine: Machine, tmp_path: Path) -> None:
    machine.up()
    machine.start_workload(tmp_path)
    machine.localcluster("down")
    assert machine.processes() == []
    assert "streamjob" not in machine.run("ip", "link").stdout
    assert "veth" not in machine.run("ip", "link").stdout
    for table in ("iptables-save", "ip6tables-save"):
        rules = machine.run(table).stdout
        assert "KUBE-" not in rules
        assert "STREAMJOB" not in rules
    assert str(machine.state.root) not in machine.run("cat", "/proc/self/mountinfo").stdout
    assert not machine.state.run.exists()
    assert not machine.state.cluster.exists()
    assert leftovers.cgroup_folders(machine.state.cgroup) == []


def test_down_of_what_a_reboot_left(machine: Machine) -> None:
    machine.up()
    machine.reboot()
    machine.localcluster("down")
    assert not machine.state.cluster.exists()
    assert leftovers.cgroup_folders(machine.state.cgroup) == []


def test_another_state_folder_neither_starts_nor_breaks_a_second_cluster(machine: Machine) -> None:
    machine.up()
    before = machine.pids()
    other = machine.state.root / "other"
    for command, returned in (("up", 2), ("down", 0)):
        argv = ("env", f"STREAMJOB_STATE={other}", sys.executable, "-m", "localcluster", command)
        done = machine.run(*argv, check=False)
        assert done.returncode == returned, done.stderr
        assert "is in use" in done.stderr or command == "down"
    machine.up()
    assert machine.pids() == before


def test_a_user_without_rights_is_told_all_that_is_missing() -> None:
    """Outside the sandbox: root's rights are given up, so that nothing can be changed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "localcluster", "up"],
            env=os.environ | {"STREAMJOB_STATE": f"{folder}/state", "PYTHONPATH": str(ROOT / "tests")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2, done.stderr
    assert "needs root" in done.stderr
    assert "Traceback" not in done.stderr
