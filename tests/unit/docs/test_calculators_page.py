"""The page of the calculators is made from them, and links to what is there."""

from pathlib import Path

from streamjob_api.calculators import catalogue, page

PAGE = Path(__file__).parents[3] / "docs" / "calculators.md"


def test_the_committed_page_is_what_the_calculators_say() -> None:
    assert PAGE.read_text() == page.rendered(), "stale: run `make crds`"


def test_every_name_of_a_calculator_is_told() -> None:
    told = PAGE.read_text()
    assert [name for name in catalogue() if f"## {name}\n" not in told and f"`{name}`" not in told] == []
