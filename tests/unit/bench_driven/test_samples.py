"""How growth is told, and how a memory limit is read."""

from pathlib import Path

import pytest

from benchmarks.driven.memory_limit import MemoryLimit
from benchmarks.driven.samples import Sample, course, courses


def sample(seconds: float, pss: float, *, helpers: int = 2) -> Sample:
    by_role = {"jvm": (1, pss / 2), "helpers": (helpers, pss / 2), "ended": (1, 0.0)}
    return Sample(seconds, 0, 0, 0.0, pss, None, by_role, checkpoint_mib=5.0, scratch_mib=1.0)


def test_growth_leaves_out_the_first_quarter() -> None:
    seconds = [float(at) for at in range(0, 410, 10)]
    sizes = [200.0 + at if at < 100 else 1000.0 + at / 36 for at in seconds]
    assert course(seconds, sizes).per_hour == pytest.approx(100.0)
    assert course(seconds, sizes).highest == pytest.approx(1000 + 400 / 36, abs=0.1)


def test_what_stays_does_not_grow() -> None:
    assert course([0.0, 10.0, 20.0, 30.0], [5.0, 5.0, 5.0, 5.0]).per_hour == 0


def test_each_kind_of_process_is_told_and_a_limit_only_where_there_was_one() -> None:
    told = courses([sample(at, 800.0) for at in (0.0, 10.0, 20.0, 30.0)])
    assert told.keys() == {"pss_mib", "checkpoint_mib", "scratch_mib", "jvm_mib", "helpers_mib"}
    assert told["jvm_mib"].median == 400.0


def test_the_working_set_leaves_out_file_pages_that_nobody_uses(tmp_path: Path) -> None:
    (tmp_path / "memory.usage_in_bytes").write_text(f"{100 * 2**20}\n")
    (tmp_path / "memory.stat").write_text(f"cache 1\ninactive_file 5\ntotal_inactive_file {30 * 2**20}\n")
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    limit = MemoryLimit(tmp_path)
    assert limit.working_set_mib() == 70
    assert limit.kills() == 2


def test_a_command_enters_the_limit_before_it_begins(tmp_path: Path) -> None:
    argv = MemoryLimit(tmp_path).argv(["python", "-m", "x"])
    assert argv[:2] == ["sh", "-c"]
    assert argv[3:] == [tmp_path / "cgroup.procs", "python", "-m", "x"]
