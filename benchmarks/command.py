"""CPU of the command: starting it, checking manifests, previewing a million records.

    uv run python benchmarks/command.py [--lines 1000000] [--manifests 1000]

Each figure is of a process of its own, as a user starts it. Prints one JSON object as its last line: CPU seconds, and
for the previews lines for each CPU second and peak memory in MB.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[1] / "examples" / "meter-extremes" / "streamjob.yaml"
METERS = 10_000
BASE_MS = 1_700_000_400_000
ROUND_MS = 10_000


def one_point(meter: int, time_ms: int) -> dict[str, Any]:
    return {
        "orgId": "o100000000000001",
        "modelId": "ElectricMeter",
        "modelIdPath": "/ElectricMeter",
        "assetId": f"mtr{meter:06d}",
        "pointId": "Reading",
        "time": time_ms,
        "value": meter % 97 + time_ms % 1000 / 1000,
    }


def origin(meter: int, time_ms: int) -> dict[str, Any]:
    record = one_point(meter, time_ms)
    points = {"Reading": record["value"], "Power": 3.1}
    item = {"assetId": record["assetId"], "time": time_ms, "measurepoints": points}
    return {name: record[name] for name in ("orgId", "modelId", "modelIdPath")} | {"payload": [item]}


def lines(count: int, form: Callable[[int, int], dict[str, Any]]) -> Iterator[str]:
    for number in range(count):
        yield json.dumps(form(number % METERS, BASE_MS + number // METERS * ROUND_MS), separators=(",", ":")) + "\n"


def measured(*arguments: str) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one run of the command; its output goes nowhere."""
    pid = os.fork()
    if pid == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execv(sys.executable, [sys.executable, "-m", "streamjob_cli", *arguments])  # noqa: S606
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"streamjob {' '.join(arguments)} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def previews(folder: Path, count: int) -> Iterator[tuple[str, dict[str, float]]]:
    for name, form in (("one_point", one_point), ("origin", origin)):
        file = folder / f"{name}.jsonl"
        with file.open("w") as output:
            output.writelines(lines(count, form))
        cpu, memory = measured("preview", str(EXAMPLE), "--input", str(file), "--format", "json")
        yield name, {"lines_per_cpu_second": round(count / cpu), "cpu_seconds": round(cpu, 2), "peak_mb": round(memory)}


def checks(folder: Path, count: int) -> Iterator[tuple[str, float]]:
    text = EXAMPLE.read_text()
    for number in range(count):
        job = text.replace("meter-extremes-10min", f"job-{number}").replace("Reading10Min", f"Reading10Min{number}")
        (folder / f"job-{number}.yaml").write_text(job)
    yield "help", measured("--help")[0]
    yield "one", measured("validate", str(EXAMPLE))[0]
    yield str(count), measured("validate", str(folder))[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--manifests", type=int, default=1_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found_checks = {name: round(cpu, 2) for name, cpu in checks(Path(folder), asked.manifests)}
    with tempfile.TemporaryDirectory() as folder:
        found_previews = dict(previews(Path(folder), asked.lines))
    print(json.dumps({"validate_cpu_seconds": found_checks, "preview": found_previews}))


if __name__ == "__main__":
    main()
