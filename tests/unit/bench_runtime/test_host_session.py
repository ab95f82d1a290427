"""What a contestant's processes cost."""

import sys
from pathlib import Path

from benchmarks.runtime.host_session import HostSession
from fixtures.eventually import eventually

# More than is asked for below: the kernel tells of each of a process's sums only the whole ticks.
_BURN = "import time\nwhile time.process_time() < 0.5: pass\n"
_PARENT = f"""
import subprocess, sys, time
subprocess.run([sys.executable, "-c", {_BURN!r}], check=True)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("burnt", flush=True)
time.sleep(600)
"""


def running(folder: Path, program: str) -> HostSession:
    return HostSession([sys.executable, "-c", program], folder)


def test_the_cpu_of_a_child_that_has_ended_counts(tmp_path: Path) -> None:
    session = running(tmp_path, _PARENT)
    try:
        eventually((tmp_path / "log").read_text, until=lambda text: "burnt" in text)
        assert session.cpu_seconds() >= 0.3
        assert session.memory_mib() > 5
        assert session.complaint() is None
    finally:
        session.stop()
    assert session.memory_mib() == 0


def test_an_end_is_told_with_the_log(tmp_path: Path) -> None:
    session = running(tmp_path, "raise SystemExit('no broker there')")
    complaint = eventually(session.complaint, until=lambda told: told is not None)
    session.stop()
    assert complaint is not None
    assert "ended with 1" in complaint
    assert "no broker there" in complaint
