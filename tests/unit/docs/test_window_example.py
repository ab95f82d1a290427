"""The worked examples of the window template's page are true, and its fields are all there."""

import re
from pathlib import Path
from typing import Any

import yaml

from oracles.windows import Key, Number
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation, WindowPolicy
from unit.runtime.windows_bench import Run

PAGE = (Path(__file__).parents[3] / "docs" / "templates" / "time-window-aggregation.md").read_text()
DAY_MS = 1_700_006_400_000  # 2023-11-15T00:00:00Z


def manifest(section: str = "") -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", PAGE.partition(section)[2] if section else PAGE, re.DOTALL)
    assert found is not None
    block: dict[str, Any] = yaml.safe_load(found.group(1))["timeWindowAggregation"]
    return block


def rows(section: str) -> list[dict[str, str]]:
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    head, _, *body = lines
    return [dict(zip(head, line, strict=True)) for line in body]


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return DAY_MS + (int(hours) * 60 + int(minutes)) * 60_000


def check(run: Run, section: str, point: str, column: str) -> None:
    """Feed each row of a section's table in a micro-batch of its own, and hold what it gives against the row."""
    for row in rows(section):
        late = run.late
        records = [("mtr1", point, at(row["time"]), int(row["value"]))] if row["time"] else []
        run.feed(records, now=at(row.get("clock") or row["time"]))
        given = [(mode, key[2], value) for mode, key, value in run.emissions[-1]]
        value = None if row[column] == "null" else row[column] and int(row[column])
        assert given == ([(row["result"], at(row["window"]), value)] if row["result"] else []), f"record {row['#']}"
        assert (run.late > late) == ("too late" in row["what happened"]), f"record {row['#']}"


def test_every_row_of_the_worked_example_is_what_the_template_gives() -> None:
    assert len(rows("Worked example")) == 8
    check(Run(manifest()), "Worked example", "ElectricMeter::Reading", "max")


def test_every_row_of_the_chain_is_what_the_template_gives() -> None:
    assert len(rows("Chains of jobs")) == 11
    point = "ElectricMeter::Energy10Min"
    check(Run(manifest("## Chains of jobs"), calculated=[point]), "Chains of jobs", point, "sum")


def test_every_row_about_silence_is_what_the_template_gives() -> None:
    assert len(rows("Silent assets")) == 7
    check(Run(manifest(), idle_timeout="1h"), "Silent assets", "ElectricMeter::Reading", "max")


def test_the_picture_of_a_chain_is_what_two_jobs_give() -> None:
    ten = {
        **manifest()["policies"][0],
        "threshold": "[0, 50)",
        "aggregation": "sum",
        "output": "ElectricMeter::Energy10Min",
    }
    first = Run({"latency": "30m", "policies": [ten]})
    second = Run(manifest("## Chains of jobs"), calculated=["ElectricMeter::Energy10Min"])
    seen: list[tuple[str, Number | None]] = []
    for clock, value in [("10:01", 1), ("10:03", 2), ("10:08", 4), ("10:11", 0), ("10:09", 8), ("10:40", 0)]:
        first.feed([("mtr1", "ElectricMeter::Reading", at(clock), value)])
        results = first.emissions[-1]
        seen += [(mode, value) for mode, key, value in results if key[2] == at("10:00")]
        second.feed([(*key, value) for _, key, value in results if value is not None])
    assert seen == [("onTime", 7), ("onTime", 15), ("final", 15)]
    second.close()
    hour: Key = ("mtr1", "ElectricMeter::EnergyHour", at("10:00"))
    assert second.results == {hour: 15}


def test_every_field_is_on_the_page() -> None:
    models = (TimeWindowAggregation, WindowPolicy)
    fields = {str(field.alias) for model in models for field in model.model_fields.values()}
    assert {name for name in fields if f"| `{name}` |" not in PAGE} == set()
