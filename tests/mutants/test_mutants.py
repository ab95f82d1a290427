"""The tests of the templates find every fault that is listed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mutant_is_killed(file: Path) -> None:
    # The order of sets is part of what hypothesis makes its examples of.
    done = subprocess.run(
        [sys.executable, "-m", "mutants.trial", str(file)],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    assert done.returncode == 0, done.stderr
    verdicts: dict[str, str] = json.loads(done.stdout)
    assert verdicts.pop("") == "survived", "the tests must pass without a mutant"
    assert {what: verdict for what, verdict in verdicts.items() if verdict != "killed"} == {}
