"""``streamjob preview`` of the merging example: its results, up to the end of the input, and what it counts."""

import json
from pathlib import Path

import yaml

from oracles.merging import expected
from oracles.windows import Record
from unit.cli.previews import START, last_values, line, run, written

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
