"""``streamjob preview`` of an energy job: the days of the OU's time zone, up to the end of the input."""

import json
from pathlib import Path

from oracles.energy import expected
from oracles.energy_order import Beside
from oracles.windows import Record
from unit.cli.previews import START, job, last_values, line, manifest, resource, run, written

KIND = "energyByMeterReading"
ENERGY = {
    "latency": "30m",
    "policies": [
        {
            "input": "M::A",
            "slopeThreshold": "[0, 50]",
            "dailyOutput": "M::Day",
            "detailedOutput": "M::Detail",
            "interval": "1h",
            "runningTotal": True,
        }
    ],
}
HOUR = 3_600_000


def test_every_day_up_to_the_end_is_final(tmp_path: Path) -> None:
    spec = {"template": {"name": "energy-by-meter-reading", "version": "1.0"}, KIND: ENERGY}
    document = job()
    document["spec"] = spec
    readings = [0, 4, 9, 9, 9, 3000, 3001, 2, 3, 8, 10, 13]
    records: list[Record] = [("a", "M::A", START + hour * 4 * HOUR, value) for hour, value in enumerate(readings)]
    records.insert(3, ("a", "M::A", START - HOUR, 7))  # late
    files = manifest(tmp_path, document, resource(timezone="Asia/Kathmandu"))
    done = run(files, "--input", written(tmp_path, map(line, records)))
    assert (done.returncode, done.stdout == "") == (0, False), done.stderr
    wanted = expected(records, KIND, ENERGY, Beside(timezone="Asia/Kathmandu"), is_ended=True)
    assert last_values(done.stdout.splitlines()) == wanted.results
    last = {(row["pointId"], row["time"]): row for row in map(json.loads, done.stdout.splitlines())}
    assert {row["attr"]["electricEnergy"]["calMode"] for row in last.values()} == {"final"}
    assert [row.split()[:2] for row in done.stderr.splitlines() if row.startswith(("late", "outside"))] == [
        ["late", str(wanted.late)],
        ["outside", str(wanted.outside)],
    ]
    assert (wanted.late, wanted.outside) == (1, 2)
