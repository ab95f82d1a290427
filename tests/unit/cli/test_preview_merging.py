"""``streamjob preview`` of merging: results up to the end of the input and at the ticks of the clock, and counts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from oracles.merging import expected, ticked
from oracles.windows import Record
from streamjob_cli import event_clock
from streamjob_cli.command_line import streamjob
from unit.cli.previews import MINUTE, START, job, last_values, line, manifest, run, written

EXAMPLE = Path(__file__).parents[3] / "examples" / "multi-point-merging" / "streamjob.yaml"
SUPPLY = [(0, 60), (0.5, 61.5), (3, 70), (2, 65), (1.5, 62), (1, 1), (14, 66), (15, 67)]
RETURN = [(0, 40), (1, 41), (2.5, 42.5), (15, 43)]
TEMPERATURES: list[tuple[str, float, float]] = [
    *(("Return", *row) for row in RETURN[:1]),
    *(("Supply", *row) for row in SUPPLY[:2]),
    *(("Return", *row) for row in RETURN[1:3]),
    *(("Supply", *row) for row in SUPPLY[2:]),
    *(("Return", *row) for row in RETURN[3:]),
]


def test_the_example_gives_what_the_oracle_says(tmp_path: Path) -> None:
    records: list[Record] = [
        ("boiler-1", f"Boiler::{point}", START + round(minute * 60_000), value) for point, minute, value in TEMPERATURES
    ]
    block = yaml.safe_load(EXAMPLE.read_text())["spec"]["multiPointMerging"]
    wanted = expected(records, block, is_ended=True)
    done = run(str(EXAMPLE), "--input", written(tmp_path, map(line, records)), "--batch", "3")
    assert done.returncode == 0, done.stderr
    assert last_values(done.stdout.splitlines()) == wanted.results
    assert {point for _, point, _ in wanted.results} == {"Boiler::Spread"}  # of the attribute nothing is known
    modes = [json.loads(text)["attr"]["multiPointMerging"]["calMode"] for text in done.stdout.splitlines()]
    assert modes == ["final"] * len(wanted.results)
    counted = dict(row.split()[:2] for row in done.stderr.splitlines())
    assert (int(counted["late"]), int(counted["missing"])) == (wanted.counts["late"], wanted.counts["missing"])
    assert wanted.counts["late"] > 0


def test_attributes_that_are_given_are_read(tmp_path: Path) -> None:
    attributes = tmp_path / "attributes.jsonl"
    attributes.write_text('{"assetId": "boiler-1", "attributes": {"Boiler::MaxSpread": 40}}\n')
    records: list[Record] = [("boiler-1", "Boiler::Supply", START, 60), ("boiler-1", "Boiler::Return", START, 40)]
    lines = written(tmp_path, map(line, records))
    done = run(str(EXAMPLE), "--input", lines, "--attributes", str(attributes))
    assert done.returncode == 0, done.stderr
    assert last_values(done.stdout.splitlines())["boiler-1", "Boiler::Load", START] == 0.5


FREQUENCY: dict[str, Any] = {
    "template": {"name": "multi-point-merging", "version": "1.0"},
    "multiPointMerging": {
        "trigger": {"mode": "Frequency", "every": "1m"},
        "policies": [
            {"logic": "${Boiler::Supply} - ${Boiler::Return}", "maxAge": "5m", "output": "Boiler::Spread"},
            {"logic": "${Boiler::Supply} > 65", "output": "Boiler::IsHot"},
        ],
    },
}


def test_a_time_that_is_too_far_ahead_ends_a_preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_clock, "MOST_TICKS", 100)
    times = [START, START + 100 * MINUTE, 253_402_300_799_000]  # the last one ends the year 9999
    lines = written(tmp_path, ["", *(line(("b", "Boiler::Supply", time, 70)) for time in times)])
    document = manifest(tmp_path, {**job(), "spec": FREQUENCY})
    given = ["preview", document, "--input", lines, "--format", "json"]
    told = CliRunner().invoke(streamjob, given)
    assert told.exit_code == 3
    assert told.stderr == (
        f"{lines}: line 4: from 2023-11-15T01:40:00Z, the latest time before, to 9999-12-31T23:59:59Z more than 100 "
        "ticks of the clock are due, which a preview does not make; mend the record, or give --now so that times in "
        "the future are refused, or preview what follows the gap by itself\n"
    )
    assert CliRunner().invoke(streamjob, [*given, "--now", "2023-11-15T02:00:00Z"]).exit_code == 0
    told = CliRunner().invoke(streamjob, [*given, "--now", "2023-11-15T04:00:00Z"])
    assert told.exit_code == 3
    assert told.stderr.startswith("--now: from 2023-11-15T01:40:00Z, ")
    assert told.stderr.endswith("; give an earlier --now\n")
    assert len(told.stdout.splitlines()) == 100  # results are given out before all is known


def clocked(records: list[Record], until: int) -> Iterator[tuple[int, list[Record]]]:
    """Each record with its clock, the highest time so far, after the ticks that it comes to."""
    clock = records[0][2]
    for record in records:
        yield from ((tick, []) for tick in range(clock - clock % MINUTE + MINUTE, record[2] + 1, MINUTE))
        clock = max(clock, record[2])
        yield clock, [record]
    yield from ((tick, []) for tick in range(clock - clock % MINUTE + MINUTE, until + 1, MINUTE))


@pytest.mark.parametrize(
    ("now", "until"),
    [([], START + 15 * MINUTE), (["--now", "2023-11-15T00:18:30Z"], START + 18 * MINUTE)],
)
def test_the_clock_goes_with_the_records(tmp_path: Path, now: list[str], until: int) -> None:
    records: list[Record] = [
        ("boiler-1", f"Boiler::{point}", START + round(minute * 60_000), value) for point, minute, value in TEMPERATURES
    ]
    document = {**job(), "spec": FREQUENCY}
    wanted = ticked(clocked(records, until), FREQUENCY["multiPointMerging"])
    done = run(manifest(tmp_path, document), "--input", written(tmp_path, map(line, records)), "--batch", "4", *now)
    assert done.returncode == 0, done.stderr
    assert last_values(done.stdout.splitlines()) == wanted.results
    assert len(done.stdout.splitlines()) == len(wanted.results)
    counted = dict(row.split()[:2] for row in done.stderr.splitlines())
    assert (int(counted["late"]), int(counted.get("missing", 0))) == (wanted.counts["late"], wanted.counts["missing"])
    assert {value for (_, point, _), value in wanted.results.items() if point == "Boiler::IsHot"} == {True, False}
