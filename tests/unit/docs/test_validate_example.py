"""The page of `streamjob validate` is true: its example prints what stands there."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamjob_cli.command_line import streamjob

PAGE = Path(__file__).parents[3] / "docs" / "validate.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_example_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ou, jobs, *_ = blocks("yaml")
    (tmp_path / "ou.yaml").write_text(ou)
    (tmp_path / "jobs.yaml").write_text(jobs)
    monkeypatch.chdir(tmp_path)
    (session,) = blocks("console")
    command, _, printed = session.partition("\n")
    assert command.startswith("$ uv run streamjob ")
    result = CliRunner().invoke(streamjob, command.split()[4:])
    assert (result.exit_code, result.output) == (2, printed)


def test_every_option_of_the_command_is_on_the_page() -> None:
    options = {name for option in streamjob.commands["validate"].params for name in option.opts if name[0] == "-"}
    assert not [name for name in options if f"`{name}" not in PAGE.read_text()]
