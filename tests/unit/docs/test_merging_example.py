"""The page of multi-point merging is true: its worked examples, and the fields that it lists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_api.templates.multi_point_merging import MergingPolicy, MultiPointMerging, Trigger
from unit.runtime.merging_bench import Run, calculated

PAGE = (Path(__file__).parents[3] / "docs" / "templates" / "multi-point-merging.md").read_text()
DAY_MS = 1_700_006_400_000  # 2023-11-15T00:00:00Z
POINTS = {"Max": "ElectricMeter::MaxReading10Min", "Min": "ElectricMeter::MinReading10Min"}


def block(number: int = 0) -> dict[str, Any]:
    """One of the manifests."""
    found = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    read: dict[str, Any] = yaml.safe_load(found[number])["multiPointMerging"]
    return read


def rows(number: int) -> list[dict[str, str]]:
    """One of the tables of the worked example."""
    table = re.findall(r"(?:^\|.*\n)+", PAGE.partition("## Worked examples")[2], re.MULTILINE)[number]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    head, _, *body = lines
    return [dict(zip(head, line, strict=True)) for line in body]


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return DAY_MS + (int(hours) * 60 + int(minutes)) * 60_000


@pytest.mark.parametrize(
    ("table", "manifest", "count", "changes", "is_calculated"),
    [
        (0, 0, 8, {}, False),
        (1, 0, 8, {"latency": "10m"}, False),
        (2, 0, 6, {}, True),
        (3, 1, 11, {}, False),
    ],
    ids=["no latency", "latency", "calculated", "frequency"],
)
def test_every_row_is_what_the_template_gives(
    table: int, manifest: int, count: int, changes: dict[str, str], is_calculated: bool
) -> None:
    run = Run({**block(manifest), **changes}, calculated(*(POINTS.values() if is_calculated else ())))
    assert len(rows(table)) == count
    for row in rows(table):
        before = run.counts.copy()
        records = [("mtr1", POINTS[row["point"]], at(row["time"]), int(row["value"]))] if row["point"] else []
        given = run.feed(records, now=at(row["clock"]) if "clock" in row else 0)
        key = ("mtr1", "ElectricMeter::ReadingDifference", at(row.get("of") or row["time"] or row["clock"]))
        assert given == ([(key, int(row["result"]))] if row["result"] else []), f"record {row['#']}"
        assert list(run.counts - before) == ([row["counted"]] if row["counted"] else []), f"record {row['#']}"


def test_every_field_is_on_the_page() -> None:
    models = (MultiPointMerging, MergingPolicy, Trigger)
    fields = {str(field.alias) for model in models for field in model.model_fields.values()}
    assert {name for name in fields if f"| `{name}` |" not in PAGE} == {"mode"}
