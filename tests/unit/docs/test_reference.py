"""The reference page is made from the models, and is whole."""

import re
from pathlib import Path

from streamjob_api import reference
from streamjob_api.field_types import TYPE_PAGES
from streamjob_api.places import fields
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

PAGE = Path(__file__).parents[3] / "docs" / "reference.md"


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_committed_page_is_what_the_models_say() -> None:
    assert PAGE.read_text() == reference.rendered(), "stale: run `make crds`"


def test_every_field_of_both_kinds_has_a_row() -> None:
    named = {name for row in rows() for name in re.findall(r"`(\w+)`", row[0])}
    assert {*fields(StreamJobSpec), *fields(StreamResourceSpec)} <= named


def test_every_row_has_a_type_and_a_meaning() -> None:
    for section in PAGE.read_text().split("\n### ")[1:]:
        head, _, *body = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
        columns = [cell.strip() for cell in head.split("|")[1:-1]]
        for line in body:
            row = dict(zip(columns, re.split(r"(?<!\\)\|", line)[1:-1], strict=True))
            assert row["Type"].strip(), line
            assert row["Meaning"].strip().endswith("."), line


def test_every_form_of_value_is_explained() -> None:
    types = " ".join(cell for row in rows() for cell in row[1:2])
    assert not [words for words in TYPE_PAGES if words not in types]
