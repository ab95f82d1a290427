"""The command's own end: where output cannot go, it is said in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from unit.cli.previews import START, job, line, manifest, written


def ended(arguments: list[str], redirection: str) -> tuple[int, str]:
    """The exit code and standard error of a command whose standard output goes elsewhere."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "streamjob_cli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


@pytest.mark.parametrize(
    ("redirection", "told"),
    [
        (">/dev/full", "standard output cannot be written: No space left on device\n"),
        (">&-", "standard output is closed\n"),
    ],
)
def test_output_that_cannot_go_out_is_told(redirection: str, told: str, tmp_path: Path) -> None:
    file = manifest(tmp_path, job())
    records = written(tmp_path, [line(("a", "M::A", START, 1))])
    for arguments in (
        ["validate", file],
        ["preview", file, "--input", records, "--format", "json"],
        ["preview", file, "--input", records, "--format", "table"],
    ):
        code, text = ended(arguments, redirection)
        assert (code, text.splitlines(keepends=True)[-1]) == (1, told)
        assert "Traceback" not in text
