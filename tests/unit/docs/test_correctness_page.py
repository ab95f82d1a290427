"""The page of what is compared names the data sets that are fetched, with their versions."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_names_the_packages_that_are_fetched() -> None:
    pins = (ROOT / "tests" / "real_data" / "packages.txt").read_text()
    fetched = set(re.findall(r"^(\w+)==([\d.]+) ", pins, re.MULTILINE))
    page = (ROOT / "docs" / "correctness.md").read_text()
    assert fetched == set(re.findall(r"^\| (\w+) (\d[\d.]+) \|", page, re.MULTILINE))
    assert len(fetched) == 3
