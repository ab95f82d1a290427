"""What the energy templates must give, as plain loops over the whole input.

Source: the service's reference on energy by meter reading and by power, and the contract of records. Nothing here knows
of micro-batches, partitions or columns.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

from oracles.energy_order import NOTHING_BESIDE, Beside, Order
from oracles.windows import Key, Number, Record

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": HOUR_MS, "d": 24 * HOUR_MS}


@dataclass
class Expected:
    """What must have come of the records when all of them have been read.

    Attributes:
        results: the last value of each result; None stands for null.
        modes: ``running`` or ``final``, of the last emission of each result.
        late: late records, once for each input.
        repeated: records of calculated inputs that came too late to replace the one of the same time.
        outside: once for each policy that found a power, or a slope, outside its threshold.
    """

    results: dict[Key, Number | None] = field(default_factory=dict)
    modes: dict[Key, str] = field(default_factory=dict)
    late: int = 0
    repeated: int = 0
    outside: int = 0


def expected(
    records: Sequence[Record],
    kind: str,
    job: Mapping[str, Any],
    beside: Beside = NOTHING_BESIDE,
    *,
    is_ended: bool = False,
) -> Expected:
    """Calculate every result.

    Args:
        records: the accepted ones, in arrival order.
        kind: the block of the manifest, such as ``energyByMeterReading``.
        job: that block.
        beside: what else counts.
        is_ended: nothing follows: what waits is taken, what is open is final.
    """
    outcome, zone = Expected(), ZoneInfo(job.get("timezone", beside.timezone))
    inputs = sorted({policy["input"] for policy in job["policies"]})
    assets = sorted({asset for asset, *_ in records})
    for asset, point in product(assets, inputs):
        order = Order(kind == "energyByMeterReading", milliseconds(job.get("latency", "0s")))
        order.run(records, asset, point, beside)
        if is_ended:
            order.take(sorted(order.waiting))
        outcome.late += order.late
        outcome.repeated += order.repeated
        for policy in job["policies"]:
            if order.taken and policy["input"] == point:
                bound = with_attributes(policy, asset, beside.attributes)
                _calculate(order, kind, bound, asset, zone, outcome, is_ended=is_ended)
    return outcome


def with_attributes(
    policy: Mapping[str, Any], asset: str, attributes: Mapping[tuple[str, str], Any]
) -> Mapping[str, Any]:
    """A policy as if what it is bound to were written in it."""
    limit = attributes.get((asset, policy.get("slopeLimitAttribute", "")))
    scale = attributes.get((asset, policy.get("scaleAttribute", "")))
    given: dict[str, Any] = dict(policy)
    if "slopeLimitAttribute" in policy:
        given["slopeThreshold"] = f"[0, {limit}]" if _is_usable(limit) else "[0, +inf)"
    if _is_usable(scale):
        given["scale"] = scale
    return given


def _is_usable(value: Any) -> bool:
    # What is 2**1024 or more is no double.
    return type(value) in {int, float} and 0 < value < 2**1024


@dataclass
class Totals:
    """Energy of periods, by their start; an entry for each that had a record or energy.

    Attributes:
        open: the period of the highest time so far.
        has_changed: whether energy came to the open one since it was last closed.
        closed: what was given of periods when the series was silent.
    """

    sums: dict[int, float] = field(default_factory=dict)
    open: int = -(2**62)
    has_changed: bool = False
    closed: dict[int, float] = field(default_factory=dict)

    def add(self, energy: float, period: int) -> None:
        """Add energy to a period."""
        if period > self.open:
            self.open, self.has_changed = period, False
        self.sums[period] = self.sums.get(period, 0.0) + energy
        self.has_changed |= period == self.open and energy != 0

    def close(self) -> None:
        """Give the open period, without another beginning."""
        self.closed[self.open] = self.sums[self.open]
        self.has_changed = False


def _calculate(
    order: Order,
    kind: str,
    policy: Mapping[str, Any],
    asset: str,
    zone: ZoneInfo,
    outcome: Expected,
    *,
    is_ended: bool,
) -> None:
    days, details = Totals(), Totals()
    interval_ms = milliseconds(policy["interval"]) if "interval" in policy else DAY_MS
    taken = order.taken
    steps = reading_steps(taken, policy) if kind == "energyByMeterReading" else power_steps(taken, kind, policy)
    for number, ((time, _), (begin, energy, is_outside)) in enumerate(zip(taken, steps, strict=True)):
        if number in order.closings:
            days.close()
            details.close()
        outcome.outside += is_outside
        shares = [(0.0, time, day_start(time, zone))]
        if energy is not None:
            shares += _shares(begin, time, energy, zone, is_split=policy.get("midnight") == "Proportional")
        for share, at, day in shares:
            days.add(share, day)
            details.add(share, day + (at - day) // interval_ms * interval_ms)
    if len(taken) in order.closings:
        days.close()
        details.close()
    has_running_total = policy.get("runningTotal", False)
    _give(outcome, days, (asset, policy["dailyOutput"]), has_running_total=has_running_total, is_ended=is_ended)
    if "interval" in policy:
        _give(outcome, details, (asset, policy["detailedOutput"]), has_running_total=False, is_ended=is_ended)


def _give(
    outcome: Expected, totals: Totals, output: tuple[str, str], *, has_running_total: bool, is_ended: bool
) -> None:
    for start, value in totals.sums.items():
        key = (*output, start)
        if start < totals.open or is_ended:
            outcome.results[key], outcome.modes[key] = _finite(value), "final"
        elif has_running_total and totals.has_changed:
            outcome.results[key], outcome.modes[key] = _finite(value), "running"
        elif start in totals.closed:
            outcome.results[key], outcome.modes[key] = _finite(totals.closed[start]), "final"


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
    if policy.get("interpolation") == "Linear":
        return _linear_steps(records, kind, policy)
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


def _linear_steps(
    records: list[tuple[int, float]], kind: str, policy: Mapping[str, Any]
) -> list[tuple[int, float | None, bool]]:
    """The same, with a straight line between valid records."""
    steps: list[tuple[int, float | None, bool]] = []
    valid: tuple[int, float] | None = None
    passed: list[int] = []
    for time, power in records:
        if not _within(power, policy.get("threshold", "(-inf, +inf)")):
            steps.append((valid[0] if valid else time, None, True))
            passed.append(time)
            continue
        begin, energy = time, None
        if valid is not None:
            begin, first = valid
            if time - begin <= milliseconds(policy["maxGap"]):
                line = [(begin, first), *((at, _on_line(valid, (time, power), at)) for at in passed), (time, power)]
                pairs = list(pairwise(line))
                if kind == "energyByAveragePower":
                    pairs = [((begin, first), (time, power))]
                energy = sum(_of_pair(kind, *pair) for pair in pairs) * _conversion(policy)
        steps.append((begin, energy, False))
        valid, passed = (time, power), []
    return steps


def _of_pair(kind: str, first: tuple[int, float], second: tuple[int, float]) -> float:
    """The energy between two powers."""
    held = second[1] if kind == "energyByInstantPower" else first[1] / 2 + second[1] / 2
    return held * (second[0] - first[0]) / HOUR_MS


def _on_line(first: tuple[int, float], second: tuple[int, float], at: int) -> float:
    share = (at - first[0]) / (second[0] - first[0])
    return first[1] * (1 - share) + second[1] * share


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
