"""What multi-point merging triggered by points must give, as plain loops over the whole input.

Source: the service's reference on multi-point merging, the contract of records ("Order and lateness"), and
``docs/templates/multi-point-merging.md``. Nothing here knows of micro-batches, partitions or columns.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracles.energy import milliseconds
from oracles.expressions import NoValue, evaluate, is_integer
from oracles.windows import Key, Number, Record
from streamjob_api.expressions import parse
from streamjob_api.expressions.tree import Variable, walk
from streamjob_api.points import PointRef

_COUNTED = {"missing": "missing", "DivisionByZero": "divisionByZero", "NotFinite": "notFinite"}


@dataclass
class Expected:
    """What must have come of the records when all of them have been read.

    Attributes:
        results: by asset, output and time.
        counts: ``late`` records; ``missing``, ``divisionByZero`` and ``notFinite``, once for each policy.
    """

    results: dict[Key, Number] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass
class Series:
    """One asset's records of one point: the last value taken, as (time, value), and those that wait, by time."""

    last: tuple[int, Number] | None = None
    waiting: dict[int, Number] = field(default_factory=dict)
    watermark: int = 0

    def seen_from(self, time: int) -> tuple[int, Number] | None:
        """The last value that a record of another point sees."""
        waiting = [moment for moment in self.waiting if moment <= time]
        return (max(waiting), self.waiting[max(waiting)]) if waiting else self.last


class _Merging:
    def __init__(self, policies: Sequence[Mapping[str, Any]]) -> None:
        self.policies = policies
        self.trees = [parse(policy["logic"]) for policy in policies]
        self.variables = [
            {str(node.ref) for node, _ in walk(tree) if isinstance(node, Variable)} for tree in self.trees
        ]
        self.inputs = {policy["triggerPoint"] for policy in policies}.union(*self.variables)
        self.series: dict[tuple[str, str], Series] = {}
        self.outcome = Expected()

    def of(self, asset: str, point: str) -> Series:
        return self.series.setdefault((asset, point), Series())

    def take(self, asset: str, point: str, time: int, value: Number) -> None:
        """A record's turn has come."""
        for policy, tree, variables in zip(self.policies, self.trees, self.variables, strict=True):
            if policy["triggerPoint"] != point:
                continue
            seen = {name: self.of(asset, name).seen_from(time) for name in variables} | {point: (time, value)}
            oldest = time - milliseconds(policy["maxAge"]) if "maxAge" in policy else None
            known = {name: last[1] for name, last in seen.items() if last is not None}
            young = {name for name, last in seen.items() if last and (oldest is None or last[0] >= oldest)}
            try:
                number = evaluate(tree, {PointRef.parse(name): known[name] for name in young})
            except NoValue as none:
                self.outcome.counts[_COUNTED[str(none)]] += 1
                continue
            assert not isinstance(number, str)
            is_int = is_integer(tree, {PointRef.parse(name): isinstance(of, int) for name, of in known.items()})
            self.outcome.results[asset, policy["output"], time] = int(number) if is_int else float(number)


def expected(records: Iterable[Record], job: Mapping[str, Any], *, is_ended: bool = False) -> Expected:
    """Calculate every result.

    Args:
        records: the accepted ones, in arrival order.
        job: a manifest's ``multiPointMerging``.
        is_ended: nothing follows: what waits is taken.
    """
    merging, latency_ms = _Merging(job["policies"]), milliseconds(job.get("latency", "0s"))
    for asset, point, time, value in records:
        if point not in merging.inputs:
            continue
        own = merging.of(asset, point)
        if (own.last and time <= own.last[0]) or time in own.waiting:
            merging.outcome.counts["late"] += 1
            continue
        own.waiting[time] = value
        own.watermark = max(own.watermark, time)
        for moment in sorted(own.waiting):
            if moment + latency_ms <= own.watermark:
                own.last = (moment, own.waiting.pop(moment))
                merging.take(asset, point, *own.last)
    if is_ended:
        for (asset, point), series in list(merging.series.items()):
            for moment in sorted(series.waiting):
                merging.take(asset, point, moment, series.waiting[moment])
    return merging.outcome
