"""A process is known by its start time, not by its number alone."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.eventually import eventually
from localcluster.processes import (
    Component,
    ProcessMark,
    ProcessTable,
    is_zombie,
    mark_of,
    parse_mark,
    start_ticks,
    terminate,
)

STAT = "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 1 0 987654 1000 200 18446744073709551615"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[ProcessTable]:
    table = ProcessTable(tmp_path / "pids", tmp_path / "logs")
    yield table
    for file in table.pids.glob("*.pid"):
        table.stop(file.stem)


def sleeper(name: str = "sleeper", script: str = "exec sleep 600") -> Component:
    return Component(name, ("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin"})


def test_start_time_is_found_behind_a_name_with_blanks_and_brackets() -> None:
    assert start_ticks(STAT) == 987654
    assert not is_zombie(STAT)
    assert is_zombie(STAT.replace(" S ", " Z "))


@pytest.mark.parametrize("text", ["", "12", "12 x boot", "12 13", "a 13 boot"])
def test_a_cut_off_pid_file_names_no_process(text: str) -> None:
    assert parse_mark(text) is None


def test_a_pid_file_is_read_as_it_was_written() -> None:
    mark = ProcessMark(12, 13, "boot")
    assert parse_mark(str(mark)) == mark


def test_a_started_component_runs_in_its_own_session_and_is_not_started_again(table: ProcessTable) -> None:
    assert table.ensure(sleeper())
    mark = table.running("sleeper")
    assert mark is not None
    assert os.getsid(mark.pid) == mark.pid
    assert not table.ensure(sleeper())
    assert table.running("sleeper") == mark


def test_a_component_sees_the_given_environment_alone(table: ProcessTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    table.ensure(sleeper(script="env | sort; exec sleep 600"))
    said = eventually(lambda: table.log("sleeper").read_text(), until=lambda text: "PWD=" in text)
    assert "proxy.example" not in said


def test_a_reused_pid_is_another_process(table: ProcessTable) -> None:
    table.ensure(sleeper())
    mark = table.running("sleeper")
    assert mark is not None
    for other in (replace(mark, start_ticks=mark.start_ticks - 1), replace(mark, boot_id="former boot")):
        (table.pids / "other.pid").write_text(str(other))
        assert table.running("other") is None
        assert not table.stop("other")
    assert table.running("sleeper") == mark


def test_stop_ends_what_ignores_sigterm() -> None:
    process = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; echo ready; while true; do sleep 1; done"], stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    mark = mark_of(process.pid)
    assert mark is not None
    terminate(mark, within_seconds=0.3)
    assert mark_of(process.pid) is None
    process.stdout.close()
    process.returncode = -signal.SIGKILL  # it was collected by terminate


def test_last_words_are_the_end_of_the_log(table: ProcessTable) -> None:
    table.ensure(sleeper(script="for n in 1 2 3 4 5 6 7; do echo line $n; done"))
    eventually(lambda: table.last_words("sleeper", lines=2), until="line 6\nline 7".__eq__)
