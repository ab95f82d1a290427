"""What the tests of the preview share: manifests, lines of records, and a run of the command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from oracles.windows import Key, Number, Record

MINUTE = 60_000
START = 1_700_006_400_000  # 2023-11-15T00:00:00Z
WINDOWS = {
    "policies": [{"input": "M::A", "aggregation": "max", "windowSize": "10m", "output": "M::Max"}],
}


def job(name: str = "maxima", windows: dict[str, Any] = WINDOWS, **spec: Any) -> dict[str, Any]:
    """A StreamJob."""
    template = {"name": "time-window-aggregation", "version": "1.0"}
    return {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamJob",
        "metadata": {"name": name, "namespace": "ou-energy"},
        "spec": {"template": template, "timeWindowAggregation": windows, **spec},
    }


def resource(**spec: Any) -> dict[str, Any]:
    """A StreamResource."""
    return {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamResource",
        "metadata": {"name": "energy", "namespace": "ou-energy"},
        "spec": {"capacity": {"standalone": 1}, "kafka": {"bootstrapServers": "kafka:9092"}, **spec},
    }


def manifest(folder: Path, *documents: dict[str, Any]) -> str:
    """Write documents to a file and name it."""
    file = folder / "job.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    return str(file)


def line(record: Record) -> str:
    """A record as a message of one point."""
    asset, point, time, value = record
    model, _, name = point.partition("::")
    fields = {"orgId": "o1", "modelId": model, "assetId": asset, "pointId": name, "time": time, "value": value}
    return json.dumps(fields)


def written(folder: Path, lines: Iterable[str]) -> str:
    """Write lines to a file and name it."""
    file = folder / "points.jsonl"
    file.write_text("".join(f"{text}\n" for text in lines))
    return str(file)


def reading(minute: float, value: Number, asset: str = "a") -> str:
    """A line of point ``M::A``."""
    return line((asset, "M::A", START + round(minute * MINUTE), value))


def run(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``streamjob preview`` as a user does, with its output in a file."""
    command = [sys.executable, "-m", "streamjob_cli", "preview", *arguments]
    given = {**os.environ, **environment}
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=300, env=given)


def last_values(records: Sequence[str]) -> dict[Key, Number | None]:
    """The value of the last line of each asset, point and time."""
    parsed = [json.loads(text) for text in records]
    return {(row["assetId"], f"{row['modelId']}::{row['pointId']}", row["time"]): row["value"] for row in parsed}
