"""The example of the preview's page is true: its files, its commands and what they print."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "preview.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    job = block("yaml")
    (tmp_path / "job.yaml").write_text(job)
    (tmp_path / "wrong.yaml").write_text(job.replace("aggregation: max", "aggregation: median").replace("10m,", "10,"))
    (tmp_path / "points.jsonl").write_text(block("json"))
    return tmp_path


def sessions() -> Iterator[tuple[str, str]]:
    """Each command of the page, and what stands below it."""
    for session in re.findall(r"```console\n\$ (.*?)```", PAGE.read_text(), re.DOTALL):
        command, _, printed = session.partition("\n")
        yield command, printed


def printed(command: str, folder: Path) -> str:
    """What a command prints, to standard output and then to standard error; of a table without its plot."""
    words = shlex.split(command)
    assert words[:3] == ["uv", "run", "streamjob"]
    result = subprocess.run(
        [sys.executable, "-m", "streamjob_cli", *words[3:]], cwd=folder, capture_output=True, text=True, check=False
    )
    table, _, _ = result.stdout.partition("\n\n")
    return "\n".join(part.strip("\n") for part in (table, result.stderr) if part) + "\n"


@pytest.mark.parametrize(("command", "wanted"), list(sessions()))
def test_every_command_prints_what_the_page_says(command: str, wanted: str, folder: Path) -> None:
    assert printed(command, folder) == wanted


def test_the_page_names_every_option() -> None:
    command = [sys.executable, "-m", "streamjob_cli", "preview", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^  (--[\w-]+)", text, re.MULTILINE))
    assert options == set(re.findall(r"`(--[\w-]+) ", PAGE.read_text().partition("## Options")[2]))
