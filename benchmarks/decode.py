"""CPU of the runtime's columnar half: messages to points to combined blocks, and folding these into the state.

    uv run python -m benchmarks.decode [--messages 200000]

One process, one Polars thread, no Kafka and no Spark. Prints one JSON object as its last line: us CPU a message for
each step and each form of message, at 50 and at 1 rows a key in a micro-batch.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from streamjob_runtime.shards import Shards
from streamjob_runtime.state_layout import STANDALONE

os.environ["POLARS_MAX_THREADS"] = "1"


from benchmarks.memory import Memory
from streamjob_api.assets import AssetFilter
from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping, TimeUnit
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import decode
from streamjob_runtime.templates import Template, for_job

BASE_MS = 1_700_000_400_000
NOW_MS = BASE_MS + 365 * 86_400_000
CHUNK = 50_000
TEXTS = frozenset({PointRef("ElectricMeter", "Power")})
WINDOWS = {
    "latency": "1d",
    "policies": [
        {"input": "ElectricMeter::Reading", "threshold": "[0, 1000000)", "aggregation": kind, "windowSize": "10m"}
        | {"output": f"ElectricMeter::{kind}"}
        for kind in ("max", "min")
    ],
}
TEMPLATE = {"name": "time-window-aggregation", "version": "1.0"}


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


def with_text(message: dict[str, Any]) -> dict[str, Any]:
    message["payload"][0]["measurepoints"]["Power"] = RANDOM.choice(["on", "off", True])
    return message


FORMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "plain": lambda message: message,
    "quality_objects": with_quality,
    "varying_points": with_other_points,
    "number_and_text": with_text,
    "one_by_one": with_escape,
}


def of_other_people(message: dict[str, Any]) -> dict[str, Any]:
    """The same reading as other people's devices send it, in as many bytes."""
    (item,) = message["payload"]
    points = item["measurepoints"]
    return {
        "device": {"id": item["assetId"], "type": "em-340", "firmware": "1.12.7"},
        "ts": item["time"] // 1000,
        "values": {"energy": points["Reading"], "power": points["Power"]},
        "site": "plant-7, hall B",
        "rssi": -67,
        "uptime": 86400,
    }


def of_one_value(message: dict[str, Any]) -> dict[str, Any]:
    """Each message one of the values, in as many bytes."""
    written = of_other_people(message)
    sensor, value = RANDOM.choice(list(written.pop("values").items()))
    return {"sensor": sensor, "unit": "kWh", "reading": value, "quality": "good"} | written


def with_text_time(message: dict[str, Any]) -> dict[str, Any]:
    written = of_other_people(message)
    at = datetime.fromtimestamp(written["ts"], UTC)
    return {**written, "ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def with_other_values(message: dict[str, Any]) -> dict[str, Any]:
    return of_other_people(with_other_points(message)) | {"values": named(message)}


def named(message: dict[str, Any]) -> dict[str, Any]:
    points = message["payload"][0]["measurepoints"]
    return {{"Reading": "energy", "Power": "power"}.get(name, name): value for name, value in points.items()}


def other_with_escape(message: dict[str, Any]) -> dict[str, Any]:
    return of_other_people(message) | {"site": "plant-7\t hall B"}


BY_SECONDS = MessageMapping.model_validate(
    {
        "asset": "device.id",
        "time": {"path": "ts", "unit": "s"},
        "model": {"name": "ElectricMeter"},
        "points": {"Reading": "values.energy", "Power": "values.power"},
    }
)
BY_TEXT_TIME = BY_SECONDS.model_copy(update={"time": BY_SECONDS.time.model_copy(update={"unit": TimeUnit.ISO8601})})
BY_NAMED_POINT = MessageMapping.model_validate(
    {
        "asset": "device.id",
        "time": {"path": "ts", "unit": "s"},
        "model": {"name": "ElectricMeter"},
        "point": {"path": "sensor", "names": {"energy": "Reading"}},
        "value": "reading",
    }
)
MAPPED: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], MessageMapping]] = {
    "mapped": (of_other_people, BY_SECONDS),
    "mapped_one_value": (of_one_value, BY_NAMED_POINT),
    "mapped_text_time": (with_text_time, BY_TEXT_TIME),
    "mapped_varying_points": (with_other_values, BY_SECONDS),
    "mapped_one_by_one": (other_with_escape, BY_SECONDS),
}


def messages(count: int, assets: int, form: str = "plain") -> list[bytes]:
    RANDOM.seed(1)
    written_as = FORMS[form] if form in FORMS else MAPPED[form][0]
    written = (written_as(origin(number, assets)) for number in range(count))
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
    combiner = template.combiner(Shards.of(STANDALONE))
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
        texts = TEXTS if form == "number_and_text" else frozenset()
        read = partial(decode, values, template.inputs | texts, NOW_MS, 300_000, texts=texts)
        figures[f"decode_{form}"] = cpu_us(read, count)
    for form, (_, mapping) in MAPPED.items():
        values = messages(count, assets=count // 50, form=form)
        read = partial(decode, values, template.inputs, NOW_MS, 300_000, mapping=mapping)
        figures[f"decode_{form}"] = cpu_us(read, count)
    chosen = AssetFilter.model_validate({"include": [f"mtr{number:03d}*" for number in range(200)]})
    read = partial(decode, messages(count, count // 50), template.inputs, NOW_MS, 300_000, assets=chosen)
    figures["decode_plain_200_asset_patterns"] = cpu_us(read, count)
    for rows, assets in (("50_rows_a_key", count // 50), ("1_row_a_key", count)):
        values = messages(count, assets)
        blocks = combine(template, values)
        figures[f"decode_and_combine_{rows}"] = cpu_us(partial(combine, template, values), count)
        figures[f"fold_{rows}"] = cpu_us(partial(fold, template, blocks), count)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
