"""The command gives what a user can calculate from the same file."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from real_data.agreement import assert_agree
from real_data.data_sets import household
from real_data.runs import payloads


def test_preview_gives_pandas_highest_power_of_each_quarter_of_an_hour(tmp_path: Path) -> None:
    minutes = household("2007-01-01", "2007-01-08")
    policy = {"input": "M::Power", "aggregation": "max", "windowSize": "15m", "output": "M::Peak"}
    job = {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamJob",
        "metadata": {"name": "peaks", "namespace": "home"},
        "spec": {
            "template": {"name": "time-window-aggregation", "version": "1.0"},
            "timeWindowAggregation": {"policies": [policy]},
        },
    }
    manifest, points = tmp_path / "job.yaml", tmp_path / "points.jsonl"
    manifest.write_text(yaml.safe_dump(job))
    points.write_bytes(b"\n".join(payloads(minutes)) + b"\n")
    command = [sys.executable, "-m", "streamjob_cli", "preview", str(manifest), "--input", str(points)]
    done = subprocess.run([*command, "--batch", "1000"], capture_output=True, text=True, check=True, timeout=120)
    rows = {row["time"]: row["value"] for row in map(json.loads, done.stdout.splitlines())}
    peaks = pd.Series(list(rows.values()), pd.to_datetime(list(rows), unit="ms", utc=True))
    assert_agree(peaks, minutes["Power"].resample("15min").max())
    assert len(peaks) == 7 * 96
