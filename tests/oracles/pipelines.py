"""What the pipelines of examples/pipelines have to give, as loops: of each asset, point and time the last value.

Written from the pages of the calculators; ``python -m oracles.pipelines`` writes the files of expected results.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

GALLERY = Path(__file__).parents[2] / "examples" / "pipelines"
MINUTE, HOUR = 60_000, 3_600_000
Key = tuple[str, str, int]
"""Asset, point and time."""
Record = tuple[str, str, int, float]
Attributes = Mapping[str, Mapping[str, float]]


def records(lines: Sequence[str]) -> Iterator[Record]:
    """The numbers in messages, in the order of their arrival."""
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        for item in message["payload"]:
            for point, value in item["measurepoints"].items():
                if isinstance(value, int | float):
                    yield item["assetId"], point, item["time"], value


def sub_meter_energy(lines: Sequence[str], attributes: Attributes) -> dict[Key, float]:
    newest: dict[str, int] = {}
    last: dict[str, tuple[int, float]] = {}
    days: dict[Key, float] = {}
    for asset, _, time, value in records(lines):
        is_late = time < newest.get(asset, time)
        newest[asset] = max(time, newest.get(asset, time))
        if is_late:
            continue
        before, last_time = last.get(asset), time
        if before is not None and time > before[0]:
            slope = (value - before[1]) / ((time - before[0]) / HOUR)
            if 0 <= slope <= 50:
                key = (asset, "EnergyDay", _midnight(last_time))
                days[key] = days.get(key, 0.0) + (value - before[1]) * attributes.get(asset, {}).get(
                    "SubMeter::Ratio", 1
                )
        if before is None or value != before[1]:
            last[asset] = (time, value)
    return days


def _midnight(time: int) -> int:
    berlin = datetime.fromtimestamp(time / 1000, ZoneInfo("Europe/Berlin"))
    return round(berlin.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def pressure_alarms(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    found = records(lines)
    return {
        (asset, "PressureAlarm", time): value
        for asset, point, time, value in found
        if point == "Pressure" and not 0 <= value <= 120
    }


def raw_data_aggregation(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    found = list(records(lines))
    highest = _windows(found, 5 * MINUTE, 5 * MINUTE, MINUTE)
    means = _windows(found, 15 * MINUTE, 5 * MINUTE, 0)
    return {(asset, "Max5Min", start): max(values) for (asset, start), values in highest.items()} | {
        (asset, "Mean15Min", start): sum(values) / len(values) for (asset, start), values in means.items()
    }


def _windows(found: Sequence[Record], size: int, slide: int, latency: int) -> dict[tuple[str, int], list[float]]:
    """The values of each window, without those that came when its latency was over."""
    newest: dict[str, int] = {}
    windows: dict[tuple[str, int], list[float]] = defaultdict(list)
    for asset, _, time, value in found:
        first = time // slide * slide
        for start in range(first, first - size, -slide):
            if start + size + latency > newest.get(asset, 0):
                windows[asset, start].append(value)
        newest[asset] = max(time, newest.get(asset, 0))
    return windows


def heat_power(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    latest: dict[tuple[str, str], tuple[int, float]] = {}
    powers: dict[Key, float] = {}
    for asset, point, time, value in records(lines):
        latest[asset, point] = (time, value)
        others = [latest.get((asset, each)) for each in ("Supply", "Return")]
        if point == "Flow" and all(each is not None and time - each[0] <= 2 * MINUTE for each in others):
            supply, back = (each[1] for each in others if each is not None)
            powers[asset, "Power", time] = value * 1.163 * (supply - back)
    quarters: dict[Key, list[float]] = defaultdict(list)
    for (asset, _point, time), power in powers.items():
        quarters[asset, "MeanPower15Min", time // (15 * MINUTE) * 15 * MINUTE].append(power)
    return powers | {key: sum(values) / len(values) for key, values in quarters.items()}


ORACLES: Mapping[str, Callable[[Sequence[str], Attributes], dict[Key, float]]] = {
    "sub-meter-energy": sub_meter_energy,
    "pressure-alarms": pressure_alarms,
    "raw-data-aggregation": raw_data_aggregation,
    "heat-power": heat_power,
}


def expected(name: str) -> dict[Key, float]:
    """What an example of the gallery has to give."""
    folder = GALLERY / name
    attributes: Attributes = {}
    if (folder / "attributes.jsonl").exists():
        told = map(json.loads, (folder / "attributes.jsonl").read_text().splitlines())
        attributes = {each["assetId"]: each["attributes"] for each in told}
    return ORACLES[name]((folder / "input.jsonl").read_text().splitlines(), attributes)


def written(results: Mapping[Key, float]) -> str:
    """Results as lines, by point, asset and time."""
    rows = sorted((point, asset, time, value) for (asset, point, time), value in results.items())
    return "".join(
        json.dumps({"assetId": asset, "pointId": point, "time": time, "value": value}) + "\n"
        for point, asset, time, value in rows
    )


if __name__ == "__main__":
    for each in ORACLES:
        (GALLERY / each / "expected.jsonl").write_text(written(expected(each)))
