"""Each step is a line with its time, on a terminal as in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from localcluster.progress import Progress, elapsed


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (12.3, "12 s"), (59.6, "1 min 00 s"), (166, "2 min 46 s")]
)
def test_times_are_written_as_people_say_them(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_a_step_says_how_it_ended() -> None:
    output = io.StringIO()
    progress = Progress(Console(file=output))
    with progress.step("Build"):
        pass
    with progress.step("Install") as step:
        step.has_failed = True
    with pytest.raises(ValueError, match="broken"), progress.step("Start [bold]"):
        raise ValueError("broken")
    assert output.getvalue().splitlines() == [
        "✓ Build (0.0 s)",
        "✗ Install (0.0 s)",
        "✗ Start [bold] failed after 0.0 s",
    ]
