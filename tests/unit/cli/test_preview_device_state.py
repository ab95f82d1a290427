"""``streamjob preview`` of device state: on event time, what plain loops give, whatever the micro-batches."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from oracles.device_state import Moment, Reading, Value, expected
from unit.cli.previews import MINUTE, START, manifest, run, written

BLOCK: dict[str, Any] = {
    "points": ["M::A", "M::B"],
    "offlineAfter": "10m",
    "connectionOutput": "M::Connection",
    "siteAttribute": "M::Site",
    "siteOutput": "M::SiteState",
}
SITES = {"a": "north", "b": 7, "c": "north", "d": None}
VALUES: list[Value] = [1, 2.5, "on", True]
NOW = "2023-11-15T06:00:00Z"


def readings(count: int) -> list[Reading]:
    """Records in little order, of devices that are often silent; some bear the time of others."""
    chance = random.Random(11)  # noqa: S311 (repeatable)
    found: list[Reading] = []
    clock = START
    for _ in range(count):
        clock += chance.choice([0, 0, 1, 2, 5, 13]) * MINUTE
        time = clock - chance.choice([0, 0, 0, 3, 600]) * MINUTE
        found.append((chance.choice("abcd"), f"M::{chance.choice('AB')}", time, chance.choice(VALUES)))
    return found


def line(reading: Reading) -> str:
    asset, point, time, value = reading
    fields = {"modelId": "M", "assetId": asset, "pointId": point.partition("::")[2]}
    return json.dumps({**fields, "time": time, "value": value})


def moments(records: Sequence[Reading], end: int) -> list[Moment]:
    """Each record by itself, at the highest time so far, and before it looks at the clock at all times of interest."""
    clocks: list[int] = []
    found: list[Moment] = []
    for record in [*records, None]:
        clock = end if record is None else max([*clocks, record[2]])
        looks = {at + 10 * MINUTE for at in clocks}
        begin = found[-1].now if found else 0
        found += [Moment(look) for look in sorted(looks) if begin <= look <= clock]
        if record is not None:
            clocks.append(clock)
            found.append(Moment(clock, [record], SITES))
    return found


@pytest.mark.parametrize("lines", [1, 7, 1000])
def test_the_clock_goes_with_the_records_and_sites_add_up(tmp_path: Path, lines: int) -> None:
    job = {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamJob",
        "metadata": {"name": "state", "namespace": "ou-energy"},
        "spec": {"template": {"name": "device-state", "version": "1.0"}, "deviceState": BLOCK},
    }
    records = readings(60)
    wanted = expected(moments(records, START + 360 * MINUTE), BLOCK)
    attributes = tmp_path / "sites.jsonl"
    held = [{"assetId": asset, "attributes": {"M::Site": site}} for asset, site in SITES.items()]
    attributes.write_text("".join(f"{json.dumps(row)}\n" for row in held))
    given = ["--input", written(tmp_path, map(line, records)), "--attributes", str(attributes), "--now", NOW]
    done = run(manifest(tmp_path, job), *given, "--batch", str(lines))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    assert {
        (row["assetId"], f"M::{row['pointId']}", row["time"]): (row["value"], row["attr"]["deviceState"])
        for row in rows
    } == wanted.results
    assert {value for value, _ in wanted.results.values()} >= {"online", "offline", 0, 1, 2}
    assert "attributeMissing" in done.stderr
