"""The worked example of the window template's documentation is true."""

import json
import re
from pathlib import Path

import polars as pl
import yaml

from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation as Spec
from streamjob_runtime.messages import POINTS
from streamjob_runtime.templates.surroundings import Surroundings
from streamjob_runtime.templates.time_window_aggregation import TimeWindowAggregation

PAGE = Path(__file__).parents[3] / "docs" / "templates" / "time-window-aggregation.md"
DAY_MS = 1_700_006_400_000  # 2023-11-15T00:00:00Z


class Store(dict[int, pl.DataFrame]):
    """The state of the example's one shard."""

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        self[bucket] = block

    def remove(self, bucket: int) -> None:
        self.pop(bucket, None)


def manifest() -> Spec:
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    return Spec.model_validate(yaml.safe_load(block.group(1))["timeWindowAggregation"])


def rows() -> list[dict[str, str]]:
    table = PAGE.read_text().partition("## Worked example")[2]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    head, _, *body = lines
    return [dict(zip(head, line, strict=True)) for line in body]


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return DAY_MS + (int(hours) * 60 + int(minutes)) * 60_000


def test_every_row_of_the_worked_example_is_what_the_template_gives() -> None:
    template, store = TimeWindowAggregation.of(manifest(), Surroundings()), Store()
    assert len(rows()) == 8
    for row in rows():
        record = (0, "mtr1", "ElectricMeter", "/ElectricMeter", "Reading", at(row["time"]), float(row["value"]), True)
        combiner = template.combiner()
        combiner.add(pl.DataFrame([record], schema=POINTS, orient="row"))
        blocks = list(combiner.finish().blocks.values())
        results = template.fold(store, blocks, now_ms=0).results
        given = [
            (json.loads(result["attr"])["windowAggregator"]["calMode"], result["time"], result["value"])
            for result in results.iter_rows(named=True)
        ]
        expected = [(row["result"], at(row["window"]), float(row["max"]))] if row["result"] else []
        assert given == expected, f"record {row['#']}"
