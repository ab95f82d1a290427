"""CPU of the templates alone: points to combined blocks, and folding these into a state that is there already.

    uv run python -m benchmarks.templates [--meters 10000]

One process, one Polars thread, no decoding, no Kafka and no Spark. Prints one JSON object as its last line: us CPU a
record for each template, at 50 records a meter and micro-batch and at 1, ``combine`` and ``fold``; the energy templates
in order, without and with a latency, and with one record in ten out of order; merging by points and, with a tick in
each micro-batch, by the clock; device state with connections, all devices online.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from streamjob_runtime.shards import Shards
from streamjob_runtime.state_layout import STANDALONE

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl

from benchmarks.memory import Memory
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import POINTS
from streamjob_runtime.templates import Template, for_job

BASE_MS = 1_700_000_400_000
MINUTE_MS = 60_000
CHUNK = 50_000
OUTPUTS = {"dailyOutput": "Meter::Day", "detailedOutput": "Meter::Detail", "interval": "30m"}
READING = {"input": "Meter::Reading", "slopeThreshold": "[0, 1000]", **OUTPUTS}
POWER = {"input": "Meter::Reading", "threshold": "[0, 12]", "interpolation": "LastValue", **OUTPUTS}
MAXIMA = {"input": "Meter::Reading", "aggregation": "max", "windowSize": "10m", "output": "Meter::Max"}
SLIDING = {"windowType": "Sliding", "policies": [{**MAXIMA, "windowSize": "1h", "slide": "1m"}]}
REPLACED = {"duplicates": "ReplaceSameTime", "policies": [MAXIMA]}
LIMITED = {"logic": "if (${Meter::Reading} > 3) { ${Meter::Reading} * 2 - 1 } else { 0 }", "output": "Meter::Limited"}
BY_POINT = {"trigger": {"mode": "Point"}, "policies": [{**LIMITED, "triggerPoint": "Meter::Reading"}]}
BY_CLOCK = {"trigger": {"mode": "Frequency", "every": "1m"}, "policies": [LIMITED]}
WATCHED = {"points": ["Meter::Reading"], "offlineAfter": "1d", "connectionOutput": "Meter::Connection"}
# By name: the template, its block, whether one record in ten comes late.
CASES: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "windows": ("time-window-aggregation", "timeWindowAggregation", {"policies": [MAXIMA]}, False),
    "windows_sliding": ("time-window-aggregation", "timeWindowAggregation", SLIDING, False),
    "windows_replaced": ("time-window-aggregation", "timeWindowAggregation", REPLACED, False),
    "meter_reading": ("energy-by-meter-reading", "energyByMeterReading", {"policies": [READING]}, False),
    "average_power": ("energy-by-average-power", "energyByAveragePower", {"policies": [POWER]}, False),
    "meter_reading_latency": (
        "energy-by-meter-reading",
        "energyByMeterReading",
        {"latency": "10m", "policies": [READING]},
        False,
    ),
    "meter_reading_disorder": (
        "energy-by-meter-reading",
        "energyByMeterReading",
        {"latency": "10m", "policies": [READING]},
        True,
    ),
    "merging_point": ("multi-point-merging", "multiPointMerging", BY_POINT, False),
    "device_state": ("device-state", "deviceState", WATCHED, False),
    "merging_frequency": ("multi-point-merging", "multiPointMerging", BY_CLOCK, False),
}


def points(meters: int, per_meter: int, first_minute: int, *, disorder: bool) -> pl.DataFrame:
    """A micro-batch of readings: minute after minute, of all meters in turn."""
    minute = np.repeat(np.arange(first_minute, first_minute + per_meter), meters)
    meter = np.tile(np.arange(meters), per_meter)
    if disorder:
        minute = minute - np.where((minute + meter) % 10 == 0, 5, 0)
    time_ms = BASE_MS + minute * MINUTE_MS + (meter * 7 + minute) % 1000
    columns = {
        "message": np.arange(len(meter)),
        "asset": [f"mtr{number:06d}" for number in meter],
        "model": ["Meter"] * len(meter),
        "model_path": ["/Meter"] * len(meter),
        "point": ["Reading"] * len(meter),
        "time": time_ms,
        "value": minute * 0.1 + meter % 7,
        "is_int": np.zeros(len(meter), np.bool_),
    }
    return pl.DataFrame(columns, schema=POINTS)


def chunks(batch: pl.DataFrame) -> Iterator[pl.DataFrame]:
    return (batch.slice(begin, CHUNK) for begin in range(0, batch.height, CHUNK))


def measure(template: Template, meters: int, per_meter: int, *, disorder: bool) -> tuple[float, float]:
    """Return the least CPU of a micro-batch, us a record: combining it, and folding it into what is there."""
    stores: dict[int, Memory] = {}
    combining, folding = [], []
    for batch in range(6):
        read = points(meters, per_meter, batch * per_meter, disorder=disorder)
        if template.texts:
            read = read.with_columns(text=pl.lit(None, pl.String))
        given = list(chunks(read))
        begin = time.process_time()
        combiner = template.combiner(Shards.of(STANDALONE))
        for chunk in given:
            combiner.add(chunk)
        blocks = {shard: to_bytes(block) for shard, block in combiner.finish().blocks.items()}
        between = time.process_time()
        for shard, block in blocks.items():
            now_ms = BASE_MS + (batch + 1) * per_meter * MINUTE_MS
            template.fold(stores.setdefault(shard, Memory()), [from_bytes(block)], now_ms)
        folding.append(time.process_time() - between)
        combining.append(between - begin)
    # The first micro-batch meets an empty state.
    us = 1e6 / (meters * per_meter)
    return round(min(combining[1:]) * us, 3), round(min(folding[1:]) * us, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=10_000)
    meters = parser.parse_args().meters
    figures: dict[str, Any] = {"meters": meters, "unit": "us CPU a record"}
    for name, (template, block, policies, disorder) in CASES.items():
        spec = StreamJobSpec.model_validate({"template": {"name": template, "version": "1.0"}, block: policies})
        for per_meter in (50, 1):
            combine, fold = measure(for_job(spec), meters, per_meter, disorder=disorder)
            figures[f"{name}_{per_meter}_a_meter"] = {"combine": combine, "fold": fold}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
