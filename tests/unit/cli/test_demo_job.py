"""The demo's job over some meters: the preview gives what pandas calculates from the definition."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from demo import comparison, expected, gateway
from demo.run import policy_of
from unit.cli.previews import START

JOB = Path(__file__).parents[3] / "examples" / "meter-extremes" / "streamjob.yaml"
STEP_MS = 300_000
METERS, STEPS = 7, 200


def readings() -> pl.DataFrame:
    """``asset, time, reading`` in order of arrival: one in fifty comes up to three hours late, some are faulty."""
    random = np.random.default_rng(20231115)
    steps = np.tile(np.arange(STEPS), METERS)
    time = START + steps * STEP_MS
    delay = np.where(random.random(len(steps)) < 0.02, random.integers(0, 10_800_000, len(steps)), 0)
    meter = np.repeat(np.arange(METERS), STEPS)
    reading = np.where(random.random(len(steps)) < 0.01, -1.0, (steps / 10 + meter).round(3))
    arrived = np.argsort(time + delay, kind="stable")
    assets = pl.Series([f"mtr{number}" for number in meter[arrived]])
    return pl.DataFrame({"asset": assets, "time": time[arrived], "reading": reading[arrived]})


def test_the_preview_of_the_demo_gives_what_pandas_gives(tmp_path: Path) -> None:
    sent = readings()
    wanted = expected.expect(sent, policy_of(yaml.safe_load(JOB.read_text())))
    records = tmp_path / "readings.jsonl"
    records.write_text("\n".join(gateway.messages(sent, "o1")["message"]))
    command = [sys.executable, "-m", "streamjob_cli", "preview", str(JOB), "--input", str(records), "--batch", "100"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    values = {(row["assetId"], row["pointId"], row["time"]): row["value"] for row in rows}
    frame = comparison.expected_frame(wanted)
    last = dict(sent.group_by("asset").agg(pl.col("time").max()).iter_rows())
    complete = {key: value for key, value in values.items() if key[2] + 600_000 <= last[key[0]]}
    assert complete == {(asset, point, time): value for asset, point, time, value in frame.iter_rows()}
    assert wanted.late > 0
    assert f"late{wanted.late:>18,}  " in result.stderr
    assert f"outside{wanted.outside:>15,}  " in result.stderr
