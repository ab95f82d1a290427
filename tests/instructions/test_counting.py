"""The check itself, with real counts: it passes where nothing changed and finds what takes more instructions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.instructions import baseline
from benchmarks.instructions.callgrind import ROOT
from benchmarks.instructions.verdicts import differences, not_comparable
from benchmarks.instructions.versions import LOCKED, versions_here

needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")


def instructions(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.instructions", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def last_line(run: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(run.stdout.splitlines()[-1])


def shown(run: subprocess.CompletedProcess[str]) -> str:
    return f"{run.stdout}\n{run.stderr}"


@needs_valgrind
def test_no_function_takes_more_instructions_than_were_accepted() -> None:
    accepted = baseline.read(baseline.FILE).versions
    different = differences(versions_here("valgrind"), accepted)
    if different and not different.keys() & set(LOCKED):
        pytest.skip(not_comparable(different))
    run = instructions()
    assert run.returncode == 0, shown(run)


@needs_valgrind
def test_a_needless_sort_is_found_and_what_did_not_change_passes(tmp_path: Path) -> None:
    file = str(tmp_path / "baseline.json")
    written = instructions("--accept", "--baseline", file, "--repeats", "1", "--subjects", "tests.instructions.before")
    assert written.returncode == 0, shown(written)
    run = instructions("--baseline", file, "--subjects", "tests.instructions.after")
    assert run.returncode == 1, shown(run)
    functions = last_line(run)["functions"]
    assert functions["unchanged"]["factor"] == pytest.approx(1, abs=0.01)
    assert functions["changed"]["factor"] > 1.03
    assert "changed takes" in run.stdout
    assert "unchanged takes" not in run.stdout
    assert "make instructions-accept" in run.stdout


@needs_valgrind
def test_a_baseline_of_other_versions_is_no_silent_pass(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    here = versions_here("valgrind")
    baseline.write(baseline.Baseline({**here, "polars": "1.0.0"}, "", {"encode": 1}), file)
    run = instructions("--baseline", str(file))
    assert run.returncode == 3, shown(run)
    assert f"polars {here['polars']} (baseline: 1.0.0). To renew it: make instructions-accept" in run.stdout
    assert last_line(run)["verdict"] == "other versions"


@needs_valgrind
def test_a_function_that_gives_other_rows_is_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    run = instructions("--accept", "--baseline", str(file), "--subjects", "tests.instructions.others")
    assert run.returncode == 2, shown(run)
    assert "other: 7 rows came out where 8 must" in run.stderr
    assert not file.exists()


def test_without_a_baseline_nothing_is_compared(tmp_path: Path) -> None:
    run = instructions("--baseline", str(tmp_path / "none.json"))
    assert run.returncode == 2, shown(run)
    assert "make instructions-accept writes it" in run.stderr or "valgrind is not installed" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tolerance", "0"), "0 is not between 0 and 100 percent"),
        (("--tolerance", "five"), "invalid percentage value: 'five'"),
        (("--repeats", "0"), "0 is below 1"),
    ],
)
def test_a_bad_argument_is_named(arguments: tuple[str, ...], words: str) -> None:
    run = instructions(*arguments)
    assert run.returncode == 2, shown(run)
    assert words in run.stderr


def test_nothing_is_counted_without_callgrind() -> None:
    command = [sys.executable, "-m", "benchmarks.instructions.counted", "--subjects", "x", "--repeats", "1"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "nothing is counted without callgrind" in run.stderr
