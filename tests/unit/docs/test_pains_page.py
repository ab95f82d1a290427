"""Each pain of the page names tests, and each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROWS = [line for line in (ROOT / "docs" / "pains.md").read_text().splitlines() if line.startswith("| ")]


def named(row: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", row)


def test_all_pains_have_their_line_and_each_line_its_tests() -> None:
    numbers = [match.group(1) for row in ROWS if (match := re.match(r"\| (\d+) \|", row))]
    assert numbers == [str(number) for number in range(1, 26)]
    assert [row for row in ROWS if not row.startswith(("| # ", "| What hurts (")) and not named(row)] == []


def test_each_named_test_exists() -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^\s*(?:async )?def (test_\w+)\(", written, re.MULTILINE))
    assert {name for row in ROWS for name in named(row)} - there == set()
