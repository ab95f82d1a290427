"""What the pipelines of examples/pipelines have to give, as loops: of each asset, point and time the last value.

Written from the pages of the calculators; ``python -m oracles.pipelines`` writes the files of expected results.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

GALLERY = Path(__file__).parents[2] / "examples" / "pipelines"
MINUTE, HOUR = 60_000, 3_600_000
LEAST_MILLISECONDS = 100_000_000_000
Key = tuple[str, str, int]
"""Asset, point and time."""
Value = float | str
Record = tuple[str, str, int, float]
Attributes = Mapping[str, Mapping[str, float]]


def values(lines: Sequence[str]) -> Iterator[tuple[str, str, int, Any]]:
    """What messages hold, in the order of their arrival; what is told in seconds is refused."""
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        for item in message["payload"]:
            if item["time"] >= LEAST_MILLISECONDS:
                for point, value in item["measurepoints"].items():
                    yield item["assetId"], point, item["time"], value


def records(lines: Sequence[str], of: str | None = None) -> Iterator[Record]:
    """The numbers in messages, of one point or of all."""
    for asset, point, time, value in values(lines):
        if isinstance(value, int | float) and of in {point, None}:
            yield asset, point, time, value


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


def door_states(lines: Sequence[str], _: Attributes) -> dict[Key, str]:
    return {key: state for key, state, _since in door_changes(lines)}


def door_changes(lines: Sequence[str]) -> Iterator[tuple[Key, str, int | None]]:
    """Each state, with the time at which the one before it began."""
    last: dict[str, tuple[str, int]] = {}
    for asset, _point, time, state in values(lines):
        if not isinstance(state, str) or asset == "door-rig":
            continue
        before = last.get(asset)
        yield (asset, "StateLog", time), state, before and before[1]
        if before is None or before[0] != state:
            last[asset] = (state, time)


def switch_turns(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    last: dict[str, tuple[int, float]] = {}
    turns: dict[Key, float] = {}
    for asset, _point, time, position in records(lines, "Position"):
        if position not in {0, 1}:
            continue
        before = last.setdefault(asset, (time, position))
        if time > before[0]:
            last[asset] = (time, position)
            if position != before[1]:
                turns[asset, "Turned", time] = 1 if position > before[1] else -1
    return turns


def pump_checks(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    pressures = {(asset, "PressureChecked", time): value for asset, _point, time, value in records(lines, "Pressure")}
    flows = {
        (asset, "FlowChecked", time): value
        for asset, _point, time, value, is_late in in_time(records(lines, "Flow"))
        if not is_late
    }
    return {key: value for key, value in (pressures | flows).items() if value >= 0}


def in_time(found: Iterator[Record]) -> Iterator[tuple[str, str, int, float, bool]]:
    """Records of one point, and whether a later one came before."""
    newest: dict[str, int] = {}
    for asset, point, time, value in found:
        newest[asset] = max(time, newest.get(asset, time))
        yield asset, point, time, value, time < newest[asset]


def gateway_health(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    heartbeats = in_time(record for record in records(lines, "Heartbeat") if record[3] == 1)
    newest: dict[str, int] = {}
    hours: dict[Key, float] = defaultdict(float)
    for asset, _point, time, _value, is_late in heartbeats:
        hour = time // HOUR * HOUR
        newest[asset] = max(hour, newest.get(asset, hour))
        if hour == newest[asset]:
            hours[asset, "ReceivedHour", hour] += 1
            hours[asset, "InTimeHour", hour] += not is_late
    return hours


def clean_temperatures(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    found = records(lines, "RawTemperature")
    return {(asset, "Temperature", time): value for asset, _point, time, value in found if -40 <= value <= 60}


def mean_temperatures(lines: Sequence[str]) -> dict[Key, float]:
    """What the reader of the clean temperatures has to give."""
    windows: dict[Key, list[float]] = defaultdict(list)
    for (asset, _, time), value in clean_temperatures(lines, {}).items():
        windows[asset, "MeanTemperature", time // (10 * MINUTE) * 10 * MINUTE].append(value)
    return {key: sum(found) / len(found) for key, found in windows.items()}


def average_voltage(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    latest: dict[tuple[str, str], tuple[int, float]] = {}
    windows: dict[Key, list[float]] = defaultdict(list)
    for asset, point, time, value in records(lines):
        if not 180 <= value <= 280:
            continue
        latest[asset, point] = (time, value)
        known = [latest.get((asset, each)) for each in ("UA", "UB", "UC")]
        if point == "UC" and all(each is not None and time - each[0] <= MINUTE for each in known):
            start = time // (5 * MINUTE) * 5 * MINUTE
            windows[asset, "AverageVoltage5Min", start].append(sum(each[1] for each in known if each is not None) / 3)
    return {key: sum(found) / len(found) for key, found in windows.items()}


def tank_watch(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    """At each minute, until the last record of all, the level before it, or at it where it came before the tick."""
    levels: dict[str, list[tuple[int, float]]] = defaultdict(list)
    clock = 0
    for asset, _point, time, value in records(lines):
        levels[asset].append((time, value))
        clock = max(clock, time)
    return {
        (asset, "LevelPercent", minute): [level for time, level in found if time < minute][-1] / 4.5 * 100
        for asset, found in levels.items()
        for minute in range((found[0][0] // MINUTE + 1) * MINUTE, clock + 1, MINUTE)
    }


def compressor_cycles(lines: Sequence[str], _: Attributes) -> dict[Key, float]:
    """Of each compressor, the first current above 8 and the first one below 3 behind it, and so on from there."""
    currents: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for asset, _point, time, value in records(lines):
        if value >= 0:
            currents[asset].append((time, value))
    cycles: dict[Key, float] = {}
    for asset, found in currents.items():
        rest = iter(found)
        for begin, current in rest:
            end = next((time for time, later in rest if later < 3), None) if current > 8 else None
            if end is not None:
                cycles[asset, "CycleSeconds", end] = (end - begin) / 1000
    return cycles


Oracle = Callable[[Sequence[str], Attributes], Mapping[Key, Value]]
ORACLES: Mapping[str, Oracle] = {
    "sub-meter-energy": sub_meter_energy,
    "pressure-alarms": pressure_alarms,
    "raw-data-aggregation": raw_data_aggregation,
    "heat-power": heat_power,
    "door-states": door_states,
    "switch-turns": switch_turns,
    "pump-checks": pump_checks,
    "gateway-health": gateway_health,
    "clean-temperatures": clean_temperatures,
    "average-voltage": average_voltage,
    "tank-watch": tank_watch,
    "compressor-cycles": compressor_cycles,
}


def expected(name: str) -> Mapping[Key, Value]:
    """What an example of the gallery has to give."""
    folder = GALLERY / name
    attributes: Attributes = {}
    if (folder / "attributes.jsonl").exists():
        told = map(json.loads, (folder / "attributes.jsonl").read_text().splitlines())
        attributes = {each["assetId"]: each.get("attributes", {}) for each in told}
    return ORACLES[name](input_of(name), attributes)


def input_of(name: str) -> Sequence[str]:
    """The messages of an example."""
    return (GALLERY / name / "input.jsonl").read_text().splitlines()


def written(results: Mapping[Key, Value]) -> str:
    """Results as lines, by point, asset and time."""
    rows = sorted((point, asset, time, value) for (asset, point, time), value in results.items())
    return "".join(
        json.dumps({"assetId": asset, "pointId": point, "time": time, "value": value}) + "\n"
        for point, asset, time, value in rows
    )


if __name__ == "__main__":
    for each in ORACLES:
        (GALLERY / each / "expected.jsonl").write_text(written(expected(each)))
