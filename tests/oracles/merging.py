"""What multi-point merging must give, as plain loops over the whole input.

Source: the service's reference on multi-point merging, the contract of records ("Order and lateness", "Chains"), and
``docs/templates/multi-point-merging.md``. Nothing here knows of partitions, shards or columns; of micro-batches only
the clock's trigger does, since they say what time it is.
"""

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracles.energy import milliseconds
from oracles.expressions import NoValue, Value, evaluate, is_integer
from oracles.windows import Key
from streamjob_api.expressions import parse
from streamjob_api.expressions.tree import Variable, walk
from streamjob_api.points import PointRef

Record = tuple[str, str, int, Value]
"""Asset, point as ``model::point``, epoch milliseconds; a finite number, a text or a truth value."""
_COUNTED = {"DivisionByZero": "divisionByZero", "NotFinite": "notFinite"}


@dataclass(frozen=True)
class Beside:
    """What is known beside the job.

    Attributes:
        calculated: points that other jobs calculate.
        types: names that are texts (``text``) or truth values (``truth``); all others are numbers.
        attributes: names that are attributes.
        known: the attributes' values by asset and name; None is none, a list is no scalar.
    """

    calculated: Collection[str] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    attributes: Collection[str] = ()
    known: Mapping[tuple[str, str], Any] = field(default_factory=dict)

    def of_type(self, name: str, value: object) -> bool:
        """Whether a value is what its name's type says."""
        if self.types.get(name) == "text":
            return isinstance(value, str)
        if isinstance(value, bool) or self.types.get(name) == "truth":
            return isinstance(value, bool) and self.types.get(name) == "truth"
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max

    def attribute(self, asset: str, name: str) -> Value | NoValue:
        """An attribute as a variable."""
        value = self.known.get((asset, name))
        if value is None:
            return NoValue("attributeMissing")
        return value if self.of_type(name, value) else NoValue("attributeInvalid")


NOTHING = Beside()


@dataclass
class Expected:
    """What must have come of the records when all of them have been read.

    Attributes:
        histories: by asset, output and time: the values that the result had, one after the other.
        counts: ``late`` records; and by reason, once for each policy, calculations without a result.
    """

    histories: dict[Key, list[Value]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def results(self) -> dict[Key, Value]:
        """The value of each result in the end."""
        return {key: values[-1] for key, values in self.histories.items()}


@dataclass
class Series:
    """One asset's records of one point: the last value taken, as (time, value), and those that wait, by time."""

    last: tuple[int, Value] | None = None
    waiting: dict[int, Value] = field(default_factory=dict)
    watermark: int = 0

    def seen_from(self, time: int) -> tuple[int, Value] | None:
        """The last value that a record of another point sees."""
        waiting = [moment for moment in self.waiting if moment <= time]
        return (max(waiting), self.waiting[max(waiting)]) if waiting else self.last


class _Merging:
    def __init__(self, policies: Sequence[Mapping[str, Any]], beside: Beside) -> None:
        self.policies = policies
        self.beside = beside
        self.trees = [parse(policy["logic"]) for policy in policies]
        self.variables = [
            {str(node.ref) for node, _ in walk(tree) if isinstance(node, Variable)} for tree in self.trees
        ]
        triggers = {policy["triggerPoint"] for policy in policies if "triggerPoint" in policy}
        self.inputs = triggers.union(*self.variables) - set(beside.attributes)
        self.series: dict[tuple[str, str], Series] = {}
        self.outcome = Expected()

    def of(self, asset: str, point: str) -> Series:
        return self.series.setdefault((asset, point), Series())

    def calculate(self, number: int, asset: str, time: int, seen: Mapping[str, tuple[int, Value] | None]) -> None:
        """Calculate one policy with what is seen of each of its points."""
        policy, tree = self.policies[number], self.trees[number]
        oldest = time - milliseconds(policy["maxAge"]) if "maxAge" in policy else None
        known: dict[str, Value | NoValue] = {}
        integers: dict[str, bool] = {}
        for name in self.variables[number]:
            if name in self.beside.attributes:
                known[name] = self.beside.attribute(asset, name)
                value = self.beside.known.get((asset, name))
                integers[name] = value is None or (isinstance(value, int) and not isinstance(value, bool))
            elif (last := seen[name]) is not None:
                integers[name] = isinstance(last[1], int) and not isinstance(last[1], bool)
                if oldest is None or last[0] >= oldest:
                    known[name] = last[1] if self.beside.of_type(name, last[1]) else NoValue("wrongType")
        try:
            result = evaluate(tree, {PointRef.parse(name): value for name, value in known.items()})
        except NoValue as none:
            self.outcome.counts[_COUNTED.get(str(none), str(none))] += 1
            return
        if not isinstance(result, str | bool):
            is_int = is_integer(tree, {PointRef.parse(name): is_int for name, is_int in integers.items()})
            result = int(result) if is_int else float(result)
        self.outcome.histories.setdefault((asset, policy["output"], time), []).append(result)

    def take(self, asset: str, point: str, time: int, value: Value) -> None:
        """A record's turn has come."""
        for number, (policy, variables) in enumerate(zip(self.policies, self.variables, strict=True)):
            if policy["triggerPoint"] == point:
                seen = {name: self.of(asset, name).seen_from(time) for name in variables} | {point: (time, value)}
                self.calculate(number, asset, time, seen)

    def arrive(self, asset: str, point: str, time: int, value: Value, latency_ms: int) -> None:
        """A record comes; of those that it lets have their turn, all have it."""
        own, is_calculated = self.of(asset, point), point in self.beside.calculated
        has_time = own.last is not None and time == own.last[0]
        if (own.last and time < own.last[0]) or ((has_time or time in own.waiting) and not is_calculated):
            self.outcome.counts["late"] += 1
            return
        if has_time:
            own.last = (time, value)
            self.take(asset, point, time, value)
            return
        own.waiting[time] = value
        own.watermark = max(own.watermark, time)
        for moment in sorted(own.waiting):
            if moment + latency_ms <= own.watermark:
                own.last = (moment, own.waiting.pop(moment))
                self.take(asset, point, *own.last)


def expected(
    records: Iterable[Record], job: Mapping[str, Any], beside: Beside = NOTHING, *, is_ended: bool = False
) -> Expected:
    """Calculate every result of a job that records trigger.

    Args:
        records: the accepted ones, in arrival order.
        job: a manifest's ``multiPointMerging``.
        beside: what is known beside it.
        is_ended: nothing follows: what waits is taken.
    """
    merging, latency_ms = _Merging(job["policies"], beside), milliseconds(job.get("latency", "0s"))
    for asset, point, time, value in records:
        if point in merging.inputs:
            merging.arrive(asset, point, time, value, latency_ms)
    if is_ended:
        for (asset, point), series in list(merging.series.items()):
            for moment in sorted(series.waiting):
                merging.take(asset, point, moment, series.waiting[moment])
    return merging.outcome


def ticked(
    batches: Iterable[tuple[int, Iterable[Record]]], job: Mapping[str, Any], beside: Beside = NOTHING
) -> Expected:
    """Calculate every result of a job that the clock triggers.

    Args:
        batches: the micro-batches, each with the time of the clock, which never goes back.
        job: a manifest's ``multiPointMerging``.
        beside: what is known beside it.
    """
    merging, every_ms = _Merging(job["policies"], beside), milliseconds(job["trigger"]["every"])
    # By asset and policy: the next tick that may have a result.
    due: dict[tuple[str, int], int] = {}
    for now, records in batches:
        ready = [key for key, tick in due.items() if tick <= now]
        for asset, point, time, value in records:
            if point not in merging.inputs:
                continue
            own = merging.of(asset, point)
            if own.last and (time < own.last[0] or (time == own.last[0] and point not in beside.calculated)):
                merging.outcome.counts["late"] += 1
            else:
                own.last = (time, value)
        tick = now // every_ms * every_ms
        for asset, number in ready:
            seen = {name: merging.of(asset, name).last for name in merging.variables[number]}
            merging.calculate(number, asset, tick, seen)
        due = {
            (asset, number): tick + every_ms
            for asset in {asset for asset, _ in merging.series}
            for number, policy in enumerate(job["policies"])
            if any(
                (last := merging.of(asset, name).last) is not None
                and ("maxAge" not in policy or last[0] >= tick + every_ms - milliseconds(policy["maxAge"]))
                for name in merging.variables[number] & merging.inputs
            )
        }
    return merging.outcome
