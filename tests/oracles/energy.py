"""What the energy templates must give, as plain loops over the whole input.

Source: the service's reference on energy by meter reading and by power, and the contract of records. Nothing here knows
of micro-batches, partitions or columns.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oracles.windows import Key, Number, Record

HOUR_MS = 3_600_000
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": HOUR_MS, "d": 24 * HOUR_MS}


@dataclass
class Expected:
    """What must have come of the records when all of them have been read.

    Attributes:
        results: the last value of each result; None stands for null.
        modes: ``running`` or ``final``, of the last emission of each result.
        late: late records, once for each input.
        outside: once for each policy that found a power, or a slope, outside its threshold.
    """

    results: dict[Key, Number | None] = field(default_factory=dict)
    modes: dict[Key, str] = field(default_factory=dict)
    late: int = 0
    outside: int = 0


def expected(
    records: Iterable[Record],
    kind: str,
    job: Mapping[str, Any],
    *,
    ou_timezone: str = "UTC",
    is_ended: bool = False,
) -> Expected:
    """Calculate every result.

    Args:
        records: the accepted ones, in arrival order.
        kind: the block of the manifest, such as ``energyByMeterReading``.
        job: that block.
        ou_timezone: whose days count where the job names no time zone.
        is_ended: nothing follows: what waits is taken, what is open is final.
    """
    outcome, zone = Expected(), ZoneInfo(job.get("timezone", ou_timezone))
    inputs = {policy["input"] for policy in job["policies"]}
    for (asset, point), series in _by_series(row for row in records if row[1] in inputs).items():
        taken = _in_order(series, milliseconds(job.get("latency", "0s")), outcome, is_ended=is_ended)
        for policy in job["policies"]:
            if taken and policy["input"] == point:
                _calculate(taken, kind, policy, asset, zone, outcome, is_ended=is_ended)
    return outcome


def _by_series(records: Iterable[Record]) -> dict[tuple[str, str], list[tuple[int, float]]]:
    series: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for asset, point, time, value in records:
        series[asset, point].append((time, float(value)))
    return series


def _in_order(
    records: list[tuple[int, float]], latency_ms: int, outcome: Expected, *, is_ended: bool
) -> list[tuple[int, float]]:
    """The records that are taken, in the order in which they are."""
    taken: list[tuple[int, float]] = []
    waiting: dict[int, float] = {}
    watermark = 0
    for time, value in records:
        if (taken and time <= taken[-1][0]) or time in waiting:
            outcome.late += 1
            continue
        waiting[time] = value
        watermark = max(watermark, time)
        ripe = sorted(moment for moment in waiting if moment + latency_ms <= watermark)
        taken += [(moment, waiting.pop(moment)) for moment in ripe]
    if is_ended:
        taken += sorted(waiting.items())
    return taken


@dataclass
class Totals:
    """Energy of days and details, by their start; an entry for each that had a record or energy."""

    zone: ZoneInfo
    interval_ms: int | None
    days: dict[int, float] = field(default_factory=dict)
    details: dict[int, float] = field(default_factory=dict)
    has_changed: bool = False

    def add(self, energy: float, at: int, day: int) -> None:
        """Add energy at a time of a day."""
        self.days[day] = self.days.get(day, 0.0) + energy
        if self.interval_ms is not None:
            detail = day + (at - day) // self.interval_ms * self.interval_ms
            self.details[detail] = self.details.get(detail, 0.0) + energy


def _calculate(
    records: list[tuple[int, float]],
    kind: str,
    policy: Mapping[str, Any],
    asset: str,
    zone: ZoneInfo,
    outcome: Expected,
    *,
    is_ended: bool,
) -> None:
    interval = policy.get("interval")
    totals = Totals(zone, milliseconds(interval) if interval else None)
    changed_days = set()
    steps = reading_steps(records, policy) if kind == "energyByMeterReading" else power_steps(records, kind, policy)
    for (time, _), (begin, energy, is_outside) in zip(records, steps, strict=True):
        outcome.outside += is_outside
        totals.add(0.0, time, day_start(time, zone))
        if energy is None:
            continue
        for share, at, day in _shares(begin, time, energy, zone, is_split=policy.get("midnight") == "Proportional"):
            totals.add(share, at, day)
            if share != 0:
                changed_days.add(day)
    _give(outcome, totals.days, asset, policy["dailyOutput"], None if is_ended else day_start(records[-1][0], zone))
    open_day = day_start(records[-1][0], zone)
    if policy.get("runningTotal") and not is_ended and open_day in changed_days:
        key = (asset, policy["dailyOutput"], open_day)
        outcome.results[key], outcome.modes[key] = _finite(totals.days[open_day]), "running"
    if totals.interval_ms is not None:
        last = records[-1][0]
        open_detail = open_day + (last - open_day) // totals.interval_ms * totals.interval_ms
        _give(outcome, totals.details, asset, policy["detailedOutput"], None if is_ended else open_detail)


def _give(outcome: Expected, sums: Mapping[int, float], asset: str, output: str, still_open: int | None) -> None:
    for start, value in sums.items():
        if still_open is None or start < still_open:
            outcome.results[asset, output, start] = _finite(value)
            outcome.modes[asset, output, start] = "final"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def reading_steps(records: list[tuple[int, float]], policy: Mapping[str, Any]) -> list[tuple[int, float | None, bool]]:
    """For each record: where its interval begins, its energy if accepted, whether its slope was outside."""
    steps: list[tuple[int, float | None, bool]] = []
    reference: tuple[int, float] | None = None
    for time, reading in records:
        if reference is None:
            reference = (time, reading)
            steps.append((time, None, False))
            continue
        begin, before = reference
        if reading == before:
            steps.append((begin, None, False))
            continue
        energy = _accepted_difference(before, reading, time - begin, policy)
        steps.append((begin, energy, energy is None))
        reference = (time, reading)
    return steps


def _accepted_difference(before: float, reading: float, elapsed_ms: int, policy: Mapping[str, Any]) -> float | None:
    differences = [reading - before]
    if reading < before and "rolloverModulus" in policy:
        differences.append(reading + policy["rolloverModulus"] - before)
    for difference in differences:
        if _within(difference * HOUR_MS / elapsed_ms, policy["slopeThreshold"]):
            return difference * float(policy.get("scale", 1))
    return None


def power_steps(
    records: list[tuple[int, float]], kind: str, policy: Mapping[str, Any]
) -> list[tuple[int, float | None, bool]]:
    """For each record: where its interval begins, its energy if accepted, whether its power was outside."""
    steps: list[tuple[int, float | None, bool]] = []
    before: tuple[int, float | None] | None = None
    last_valid: float | None = None
    for time, power in records:
        is_valid = _within(power, policy.get("threshold", "(-inf, +inf)"))
        if is_valid:
            last_valid = power
        usable = power if is_valid else last_valid if policy.get("interpolation") == "LastValue" else None
        begin, energy = time, None
        if before is not None:
            begin = before[0]
            held = usable if kind == "energyByInstantPower" else _mean(before[1], usable)
            is_short = "maxGap" not in policy or time - begin <= milliseconds(policy["maxGap"])
            if held is not None and is_short:
                energy = held * (time - begin) / HOUR_MS * _conversion(policy)
        steps.append((begin, energy, not is_valid))
        before = (time, usable)
    return steps


def _mean(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first / 2 + second / 2


def _conversion(policy: Mapping[str, Any]) -> float:
    kilo = {"kW": 1000.0, "kWh": 1000.0}
    units = policy.get("powerUnit"), policy.get("energyUnit")
    return 1.0 if None in units else kilo.get(str(units[0]), 1.0) / kilo.get(str(units[1]), 1.0)


def _shares(begin: int, end: int, energy: float, zone: ZoneInfo, *, is_split: bool) -> list[tuple[float, int, int]]:
    """The energy of an interval, a time in the detail it belongs to, and its day; one entry for each day's share."""
    if not is_split:
        return [(energy, end, day_start(end, zone))]
    shares, since = [], begin
    while (midnight := next_day_start(since, zone)) <= end:
        shares.append((energy * (midnight - since) / (end - begin), midnight - 1, day_start(since, zone)))
        since = midnight
    return [*shares, (energy * (end - since) / (end - begin), end, day_start(end, zone))]


def day_start(time_ms: int, zone: ZoneInfo) -> int:
    """Local 00:00 of the day of a time."""
    local = datetime.fromtimestamp(time_ms / 1000, zone)
    return round(local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp() * 1000)


def next_day_start(time_ms: int, zone: ZoneInfo) -> int:
    """Local 00:00 of the day after."""
    noon = datetime.fromtimestamp(time_ms / 1000, zone).replace(hour=12, minute=0, second=0, microsecond=0)
    return day_start(round((noon + timedelta(days=1)).timestamp() * 1000), zone)


def _within(value: float, interval: str) -> bool:
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = low <= value if interval[0] == "[" else low < value
    return above and (value <= high if interval[-1] == "]" else value < high)


def milliseconds(duration: str) -> int:
    """A duration of one unit, as in ``30m``."""
    unit = duration.lstrip("0123456789")
    return int(duration.removesuffix(unit)) * _UNITS[unit]
