"""CPU of the runtime's columnar half: messages to points to combined blocks, and folding these into the state.

    uv run python benchmarks/decode.py [--messages 200000]

One process, one Polars thread, no Kafka and no Spark. Prints one JSON object as its last line: us CPU a message for
each step and each form of message, at 50 and at 1 rows a key in a micro-batch.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl

from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import decode
from streamjob_runtime.templates import Template, for_job

BASE_MS = 1_700_000_400_000
NOW_MS = BASE_MS + 365 * 86_400_000
CHUNK = 50_000
WINDOWS = {
    "latency": "1d",
    "policies": [
        {"input": "ElectricMeter::Reading", "threshold": "[0, 1000000)", "aggregation": kind, "windowSize": "10m"}
        | {"output": f"ElectricMeter::{kind}"}
        for kind in ("max", "min")
    ],
}
TEMPLATE = {"name": "time-window-aggregation", "version": "1.0"}


class Memory(dict[int, bytes]):
    """The state of one shard."""

    def get(self, bucket: int) -> pl.DataFrame | None:  # type: ignore[override]
        return from_bytes(self[bucket]) if bucket in self else None

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        self[bucket] = to_bytes(block)

    def remove(self, bucket: int) -> None:
        del self[bucket]


RANDOM = random.Random(1)  # noqa: S311 (values of readings)


def origin(number: int, assets: int) -> dict[str, Any]:
    """An Origin message of some 190 bytes; one reading a minute of each asset in turn."""
    item = {
        "assetId": f"mtr{number % assets:06d}",
        "time": BASE_MS + number // assets * 60_000,
        "measurepoints": {"Reading": round(RANDOM.random() * 1e5, 3), "Power": round(RANDOM.random() * 10, 2)},
    }
    head = {"orgId": "o15724268424841", "modelId": "ElectricMeter", "modelIdPath": "/ElectricMeter"}
    return {**head, "payload": [item]}


def with_quality(message: dict[str, Any]) -> dict[str, Any]:
    points = message["payload"][0]["measurepoints"]
    points["Reading"] = {"value": points["Reading"], "quality": 0}
    return message


def with_other_points(message: dict[str, Any]) -> dict[str, Any]:
    points = message["payload"][0]["measurepoints"]
    points |= {f"Other{number}": number for number in range(6) if RANDOM.random() < 0.5}
    return message


def with_escape(message: dict[str, Any]) -> dict[str, Any]:
    message["payload"][0]["assetId"] += "\t"
    return message


FORMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "plain": lambda message: message,
    "quality_objects": with_quality,
    "varying_points": with_other_points,
    "one_by_one": with_escape,
}


def messages(count: int, assets: int, form: str = "plain") -> list[bytes]:
    RANDOM.seed(1)
    written = (FORMS[form](origin(number, assets)) for number in range(count))
    return [json.dumps(message, separators=(",", ":")).encode() for message in written]


def cpu_us(step: Callable[[], object], count: int, times: int = 3) -> float:
    """Least CPU of some runs, in microseconds a message."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        step()
        spent.append(time.process_time() - begin)
    return round(min(spent) / count * 1e6, 3)


def chunks(values: list[bytes]) -> Iterator[list[bytes]]:
    return (values[begin : begin + CHUNK] for begin in range(0, len(values), CHUNK))


def combine(template: Template, values: list[bytes]) -> dict[int, bytes]:
    combiner = template.combiner()
    for chunk in chunks(values):
        combiner.add(decode(chunk, template.inputs, NOW_MS, 300_000).points)
    return {shard: to_bytes(block) for shard, block in combiner.finish().blocks.items()}


def fold(template: Template, blocks: dict[int, bytes]) -> None:
    for block in blocks.values():
        template.fold(Memory(), [from_bytes(block)], NOW_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    count = parser.parse_args().messages
    template = for_job(StreamJobSpec.model_validate({"template": TEMPLATE, "timeWindowAggregation": WINDOWS}))
    figures: dict[str, Any] = {"messages": count, "unit": "us CPU a message"}
    for form in FORMS:
        values = messages(count, assets=count // 50, form=form)
        figures[f"decode_{form}"] = cpu_us(partial(decode, values, template.inputs, NOW_MS, 300_000), count)
    for rows, assets in (("50_rows_a_key", count // 50), ("1_row_a_key", count)):
        values = messages(count, assets)
        blocks = combine(template, values)
        figures[f"decode_and_combine_{rows}"] = cpu_us(partial(combine, template, values), count)
        figures[f"fold_{rows}"] = cpu_us(partial(fold, template, blocks), count)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
