"""A pipeline for each calculator on 10,000 meters, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from benchmarks.driven import oracles
from benchmarks.driven.driver_session import JobSpec
from benchmarks.driven.known_assets import fill
from benchmarks.driven.results import difference, read_results
from benchmarks.driven.streams import MODEL, Numbers, Stream, Values, noise, register
from benchmarks.driven.tasks import MINUTE_MS, Meters, Surroundings, Task

_IN, _OUT = f"{MODEL}::Reading", f"{MODEL}::Out"
_A, _B = f"{MODEL}::A", f"{MODEL}::B"
_TEN_MINUTES = 10 * MINUTE_MS
# By records, as the service calls scripts.
_SCRIPT = """
def evaluate(records, state, output, error):
    for record in records:
        output.write(time=record["time"], value=record["value"])
"""
_WINDOW = {"input": _IN, "output": _OUT, "aggregator": "max"}

Wanted = Callable[[Stream], pl.DataFrame]


def every(stream: Stream) -> pl.DataFrame:
    """Each reading, under the output's name."""
    return _of_rounds(stream, stream.of_round)


def _growths(stream: Stream) -> pl.DataFrame:
    return _of_rounds(stream, lambda number: stream.of_round(number) - stream.of_round(number - 1), first=1)


def _sums(stream: Stream) -> pl.DataFrame:
    return oracles.windows(stream, [oracles.Window("sum", _TEN_MINUTES, _TEN_MINUTES, "Out")], -np.inf, np.inf)


def _maxima(size_ms: int, slide_ms: int) -> Wanted:
    window = oracles.Window("max", size_ms, slide_ms, "Out")
    return lambda stream: oracles.windows(stream, [window], -np.inf, np.inf)


def _of_first(stream: Stream) -> pl.DataFrame:
    """The values of B, which are those of the first point, at the times of A."""
    return oracles.merged(stream, "A", "Out", lambda _, other: other)


def _of_second(stream: Stream) -> pl.DataFrame:
    return oracles.merged(stream, "A", "Out", lambda own, _: own)


def _difference(stream: Stream) -> pl.DataFrame:
    return oracles.merged(stream, "A", "Out", lambda own, other: own - other)


def _of_rounds(stream: Stream, values: Callable[[int], Values], first: int = 0) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame([stream.assets(), pl.Series("value", values(number))]).select(
            "asset", pl.lit("Out").alias("point"), pl.lit(stream.time_ms(number), pl.Int64).alias("time"), "value"
        )
        for number in range(first, stream.rounds)
    )


def stage(calculator: str, before: str = "source", **parameters: Any) -> dict[str, Any]:
    """Return a stage that is named as its calculator."""
    return {"name": calculator, "calculator": calculator, "from": [before], "parameters": parameters}


def renamed(*first: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return stages behind which a reading gets another name, as a result must have one."""
    return (*first, stage("late-point-tagger", first[-1]["name"], input=_IN, output=_OUT))


@dataclass(frozen=True)
class Case:
    """The smallest pipeline that shows a calculator.

    Attributes:
        stages: the calculator, and what it needs before and behind it.
        wanted: the results of a stream.
        published: records a second that the service states, on 2 cores and 4 GB; None: it states none.
        points: what meters send, round by round.
        closing_ms: how long behind the last round another one closes what is open; None: there is none.
        looks_up: whether it reads assets from Redis.
    """

    stages: tuple[dict[str, Any], ...]
    wanted: Wanted
    published: int | None = None
    points: tuple[str, ...] = ("Reading",)
    values: Callable[[Numbers, int], Values] = noise
    closing_ms: int | None = None
    looks_up: bool = False

    @property
    def block(self) -> dict[str, Any]:
        return {"pipeline": {"stages": [*self.stages]}}

    def task(self, meters: Meters, cu: float) -> Task:
        """Return the measurement from Kafka to Kafka."""
        closing_ms = None if self.closing_ms is None else meters.rounds * meters.period_ms + self.closing_ms
        stream = Stream(
            self.values, meters.count, meters.rounds, meters.period_ms, self.points, closing_ms, meters.padding
        )
        job, known = JobSpec("pipeline", self.block, cu), fill if self.looks_up else None
        return Task(job, stream, self._verdict, meters.phases, needs_redis=self.looks_up, fill=known)

    def _verdict(self, at: Surroundings, stream: Stream) -> tuple[int, str]:
        found = read_results(at.kafka, at.topic).with_columns(is_final=pl.lit(True))
        of_rounds = found.filter(pl.col("time") <= stream.time_ms(stream.rounds - 1))
        return len(found), difference(of_rounds, self.wanted(stream))


CASES: dict[str, Case] = {
    "asset-lookup": Case(
        (stage("asset-lookup", input=_IN, output=_OUT, tags=["region"], extra=True),), every, 11_500, looks_up=True
    ),
    "child-lookup": Case((stage("child-lookup", input=_IN, output=_OUT, tree="grid"),), every, 12_700, looks_up=True),
    "parent-lookup": Case((stage("parent-lookup", input=_IN, output=_OUT, tree="grid"),), every, 10_600, looks_up=True),
    "point-lookup": Case((stage("point-lookup", input=_IN, output=_OUT),), every, 12_000),
    "point-selector": Case(renamed(stage("point-selector", points=[_IN])), every, 16_200),
    "partitioner": Case(
        renamed(stage("point-selector", points=[_IN]), stage("partitioner", "point-selector")), every, 5_600
    ),
    "record-sorter-by-time": Case(
        renamed(stage("point-selector", points=[_IN]), stage("record-sorter-by-time", "point-selector")), every, 17_000
    ),
    "record-filter": Case(
        renamed(
            stage("point-selector", points=[_IN]),
            stage("record-filter", "point-selector", condition="${record::value} >= -1000"),
        ),
        every,
    ),
    "record-formatter": Case(
        (stage("record-formatter", rename=[{"point": _IN, "as": _OUT}], tags={"site": "north"}),), every
    ),
    "record-generator": Case(
        (stage("record-generator", points=[_IN], output=_OUT, value={"trigger": True}),), every, 20_000
    ),
    "late-point-tagger": Case((stage("late-point-tagger", input=_IN, output=_OUT),), every, 12_300),
    "off-limit-tagger": Case((stage("off-limit-tagger", input=_IN, output=_OUT, threshold="[0, 1000)"),), every, 8_700),
    "last-record-appender": Case((stage("last-record-appender", input=_IN, output=_OUT),), every, 6_300),
    "last-changed-record-appender": Case(
        (stage("last-changed-record-appender", input=_IN, output=_OUT),), every, 6_300
    ),
    "cumulant-decomposer": Case(
        (
            stage("last-record-appender", input=_IN),
            stage("cumulant-decomposer", "last-record-appender", input=_IN, output=_OUT),
        ),
        _growths,
        6_100,
        values=register,
    ),
    "simplified-time-window-aggregator": Case(
        (stage("simplified-time-window-aggregator", input=_IN, output=_OUT, windowSize="10m"),),
        _sums,
        20_000,
        closing_ms=2 * _TEN_MINUTES,
    ),
    "fixed-time-window-aggregator": Case(
        (stage("fixed-time-window-aggregator", **_WINDOW, windowSize="10m"),),
        _maxima(_TEN_MINUTES, _TEN_MINUTES),
        6_500,
        closing_ms=2 * _TEN_MINUTES,
    ),
    "sliding-time-window-aggregator": Case(
        (stage("sliding-time-window-aggregator", **_WINDOW, windowSize="1h", slide="10m"),),
        _maxima(6 * _TEN_MINUTES, _TEN_MINUTES),
        6_600,
        closing_ms=12 * _TEN_MINUTES,
    ),
    "latest-record-merger": Case(
        (
            stage(
                "latest-record-merger",
                inputs=[{"point": _A, "trigger": True}, {"point": _B}],
                expression=f"${{{_A}}} - ${{{_B}}}",
                output=_OUT,
            ),
        ),
        _difference,
        10_100,
        points=("B", "A"),
    ),
    "related-record-obtainer": Case(
        (stage("related-record-obtainer", input=_A, related=[_B], output=_OUT),), _of_second, points=("B", "A")
    ),
    "record-restorer": Case(
        (stage("record-restorer", point=_B, trigger=_A, output=_OUT),), _of_first, 13_000, points=("B", "A")
    ),
    "batch-merger": Case((stage("batch-merger", inputs=[_IN], output=_OUT),), every, 16_200),
    "python-evaluator": Case(
        (stage("python-evaluator", inputs=[_IN], output=_OUT, mode="record", script=_SCRIPT),), every, 10_300
    ),
}
# They give nothing that could be counted, or what the clock or another host says, or need a topic beside the job's two;
# all that costs is what any topic and any host costs.
WITHOUT_RESULTS = {"trash", "data-viewer", "kafka-source", "kafka-sink"} | {
    *("virtual-record-generator", "internal-http-client")
}
