"""The example of sliding windows in the window template's documentation is true."""

import re
from pathlib import Path

from unit.docs.test_preview_example import printed

PAGE = Path(__file__).parents[3] / "docs" / "templates" / "time-window-aggregation.md"


def block(language: str) -> str:
    section = PAGE.read_text().partition("## Sliding windows")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_a_preview_of_the_sliding_windows_prints_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(block("yaml"))
    (tmp_path / "points.jsonl").write_text(block("json"))
    command, _, wanted = block("console").removeprefix("$ ").partition("\n")
    assert printed(command, tmp_path) == wanted
