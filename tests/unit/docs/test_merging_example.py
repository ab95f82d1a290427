"""The page of multi-point merging is true: its worked examples, and the fields that it lists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_api.templates.multi_point_merging import MergingPolicy, MultiPointMerging
from unit.runtime.merging_bench import Run

PAGE = (Path(__file__).parents[3] / "docs" / "templates" / "multi-point-merging.md").read_text()
DAY_MS = 1_700_006_400_000  # 2023-11-15T00:00:00Z
POINTS = {"Max": "ElectricMeter::MaxReading10Min", "Min": "ElectricMeter::MinReading10Min"}


def block() -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = yaml.safe_load(found.group(1))["multiPointMerging"]
    return read


def rows(number: int) -> list[dict[str, str]]:
    """One of the tables of the worked example."""
    table = re.findall(r"(?:^\|.*\n)+", PAGE.partition("## Worked example")[2], re.MULTILINE)[number]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    head, _, *body = lines
    return [dict(zip(head, line, strict=True)) for line in body]


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return DAY_MS + (int(hours) * 60 + int(minutes)) * 60_000


@pytest.mark.parametrize(("table", "changes"), [(0, {}), (1, {"latency": "10m"})], ids=["no latency", "latency"])
def test_every_row_is_what_the_template_gives(table: int, changes: dict[str, str]) -> None:
    run = Run({**block(), **changes})
    assert len(rows(table)) == 8
    for row in rows(table):
        before = run.counts.copy()
        given = run.feed([("mtr1", POINTS[row["point"]], at(row["time"]), int(row["value"]))])
        key = ("mtr1", "ElectricMeter::ReadingDifference", at(row.get("of") or row["time"]))
        assert given == ([(key, int(row["result"]))] if row["result"] else []), f"record {row['#']}"
        assert list(run.counts - before) == ([row["counted"]] if row["counted"] else []), f"record {row['#']}"


def test_every_field_is_on_the_page() -> None:
    fields = {str(field.alias) for model in (MultiPointMerging, MergingPolicy) for field in model.model_fields.values()}
    assert {name for name in fields if f"| `{name}` |" not in PAGE} == set()
