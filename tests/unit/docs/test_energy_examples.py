"""The pages of the energy templates are true: their worked examples, and the fields that they list."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from oracles.energy import reading_steps
from oracles.windows import Number
from streamjob_api.templates.energy_by_meter_reading import EnergyByMeterReading, MeterReadingPolicy
from streamjob_api.templates.energy_by_power import EnergyByPower, PowerPolicy
from unit.runtime.energy_bench import AVERAGE, BASE, DAY, HOUR, INSTANT, METER, MINUTE, NAMES, Run

PAGES = Path(__file__).parents[3] / "docs" / "templates"


def text(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def block(kind: str) -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", text(NAMES[kind]), re.DOTALL)
    assert found is not None
    read: dict[str, Any] = yaml.safe_load(found.group(1))[kind]
    return read


def rows(kind: str) -> list[dict[str, str]]:
    table = text(NAMES[kind]).partition("## Worked example")[2]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    head, _, *body = lines
    return [dict(zip(head, line, strict=True)) for line in body]


def at(time: str) -> int:
    """``D2 00:30``, or ``1:00`` of the first day."""
    day, clock = (time.split(" ") if " " in time else ("D1", time))[:2]
    hours, minutes = clock.split(":")
    return BASE + (int(day[1:]) - 1) * DAY + int(hours) * HOUR + int(minutes) * MINUTE


def number(cell: str) -> Number | None:
    return float(cell) if cell else None


def test_the_meters_results_leave_as_the_page_says() -> None:
    run, (policy,) = Run(METER, block(METER)), block(METER)["policies"]
    assert len(rows(METER)) == 8
    for row in rows(METER):
        left = run.feed([("mtr1", policy["input"], at(row["time"]), int(row["reading"]))])
        said = [
            f"{mode} D{(time - BASE) // DAY + 1} {value:g}"
            for mode, (_, point, time), value in left
            if point == policy["dailyOutput"] and value is not None
        ]
        assert ", ".join(said) == row["result"], f"record {row['#']}"


def test_the_meters_slopes_and_differences_are_those_of_the_page() -> None:
    (policy,) = block(METER)["policies"]
    records = [(at(row["time"]), float(row["reading"])) for row in rows(METER)]
    reading_at = dict(records)
    for row, (time, reading), (begin, energy, _) in zip(
        rows(METER), records, reading_steps(records, policy), strict=True
    ):
        difference = reading - reading_at[begin]
        assert number(row["slope"]) == (difference * HOUR / (time - begin) if difference else None), (
            f"record {row['#']}"
        )
        assert number(row["accepted"]) == (None if energy is None else difference), f"record {row['#']}"


@pytest.mark.parametrize("kind", [INSTANT, AVERAGE])
def test_the_powers_energies_and_their_sums_are_those_of_the_page(kind: str) -> None:
    *records, total = rows(kind)
    for policy in block(kind)["policies"]:
        sums = []
        for count in range(1, len(records) + 1):
            run = Run(kind, block(kind))
            run.feed([("inv1", policy["input"], at(row["time"]), int(row["power"])) for row in records[:count]])
            run.close()
            sums.append(run.results["inv1", policy["dailyOutput"], BASE])
        energies = [number(row[policy["interpolation"]]) or 0 for row in records]
        assert sums == [sum(energies[:count]) for count in range(1, len(records) + 1)]
        assert number(total[policy["interpolation"]]) == sums[-1]


def test_a_policy_goes_by_attributes_as_the_page_says() -> None:
    _, bound, _ = re.findall(r"```[a-z]+\n(.*?)```", text(NAMES[METER]), re.DOTALL)
    (policy,) = yaml.safe_load(bound)
    names = policy["slopeLimitAttribute"], policy["scaleAttribute"]
    records = [("m1", policy["input"], BASE + hour * HOUR, reading) for hour, reading in enumerate((10, 30, 20))]
    for value, energy, counted in [
        (15, 0, None),
        (25, 500, None),
        (None, 20, "attributeMissing"),
        ("25", 20, "attributeInvalid"),
        (0, 20, "attributeInvalid"),
    ]:
        run = Run(METER, {"policies": [policy]}, attributes={("m1", name): value for name in names})
        run.feed(records)
        run.close()
        assert run.results == {("m1", policy["dailyOutput"], BASE): energy}
        found = [reason for reason in ("attributeMissing", "attributeInvalid") if run.counts[reason]]
        assert found == ([counted] if counted else [])


@pytest.mark.parametrize(
    ("kind", "policy"), [(METER, MeterReadingPolicy), (INSTANT, PowerPolicy), (AVERAGE, PowerPolicy)]
)
def test_every_field_is_on_a_page(kind: str, policy: type[MeterReadingPolicy | PowerPolicy]) -> None:
    models = (policy, EnergyByMeterReading if kind == METER else EnergyByPower)
    fields = {str(field.alias) for model in models for field in model.model_fields.values()}
    pages = text("energy-days") + text(NAMES[kind])
    assert {name for name in fields if f"| `{name}` |" not in pages} == set()
