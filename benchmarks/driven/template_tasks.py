"""A job of every template on 10,000 meters: a backlog, then a record of each meter for each micro-batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from benchmarks.driven import oracles
from benchmarks.driven.driver_session import JobSpec
from benchmarks.driven.results import KEY, difference, newest, read_results, told
from benchmarks.driven.streams import MODEL, Stream, Values, noise, power, register
from benchmarks.driven.tasks import MINUTE_MS, Meters, Surroundings, Task, WindowJob, window_task

_DETAIL_MS = 30 * MINUTE_MS
_DAY_MS = 24 * 60 * MINUTE_MS
_STEEPEST, _HIGHEST = 1000.0, 12.0
_ENERGY_OUTPUTS = {"dailyOutput": f"{MODEL}::Day", "detailedOutput": f"{MODEL}::Detail", "interval": "30m"}
_POWER = {"input": f"{MODEL}::Reading", "threshold": f"[0, {_HIGHEST:g}]", "interpolation": "Ignore", **_ENERGY_OUTPUTS}
_REGISTER = {"input": f"{MODEL}::Reading", "slopeThreshold": f"[0, {_STEEPEST:g}]", **_ENERGY_OUTPUTS}
_TICK_SECONDS = 5
_TICKS_WITHIN_SECONDS = 90.0

Make = Callable[[Meters, float], Task]
Energies = Callable[[Stream], Iterator[Values]]


def _windows(job: WindowJob) -> Make:
    return lambda meters, cu: window_task(job, meters, cu=cu)


@dataclass(frozen=True)
class Energy:
    """An energy job; its closing round is two days later, so that all days and details before it are final."""

    template: str
    block: str
    policy: dict[str, str]
    values: Callable[..., Values]
    energies: Energies

    def __call__(self, meters: Meters, cu: float) -> Task:
        closing_ms = meters.rounds * meters.period_ms + 2 * _DAY_MS
        job = JobSpec(self.template, {self.block: {"timezone": "UTC", "policies": [self.policy]}}, cu)
        return Task(job, meters.stream(self.values, closing_ms), self._verdict, meters.phases)

    def _verdict(self, at: Surroundings, stream: Stream) -> tuple[int, str]:
        found = read_results(at.kafka, at.topic)
        wanted = oracles.energy(stream, self.energies(stream), "Day", "Detail", _DETAIL_MS)
        return len(found), difference(found, wanted)


def _merging_by_point(meters: Meters, cu: float) -> Task:
    """Two points in turn, round by round; each record of A has a result, of it and the B before it."""
    logic = f"${{{MODEL}::A}} - ${{{MODEL}::B}} * 2"
    policy = {"triggerPoint": f"{MODEL}::A", "logic": logic, "output": f"{MODEL}::Merged"}
    job = JobSpec(
        "multi-point-merging", {"multiPointMerging": {"trigger": {"mode": "Point"}, "policies": [policy]}}, cu
    )
    stream = Stream(noise, meters.count, meters.rounds, meters.period_ms, ("B", "A"), padding=meters.padding)
    return Task(job, stream, _merged, meters.phases)


def _merged(at: Surroundings, stream: Stream) -> tuple[int, str]:
    found = read_results(at.kafka, at.topic)
    return len(found), difference(found, oracles.merged(stream, "A", "Merged", lambda own, other: own - other * 2))


def _merging_by_clock(meters: Meters, cu: float) -> Task:
    """A result of each meter at each tick of the clock, every five seconds."""
    logic = f"if (${{{MODEL}::Reading}} > 3) {{ ${{{MODEL}::Reading}} * 2 - 1 }} else {{ 0 }}"
    trigger = {"mode": "Frequency", "every": f"{_TICK_SECONDS}s"}
    block = {"trigger": trigger, "policies": [{"logic": logic, "output": f"{MODEL}::Limited"}]}
    job = JobSpec("multi-point-merging", {"multiPointMerging": block}, cu)
    return Task(job, meters.stream(noise), _ticked, meters.phases)


def _limited(values: Values) -> Values:
    return np.where(values > 3, values * 2 - 1, 0.0)


def _ticked(at: Surroundings, stream: Stream) -> tuple[int, str]:
    """Wait for a tick after the last message; which values the ticks before it see, the micro-batches decide."""
    last = pl.DataFrame([stream.assets(), pl.Series("value_wanted", _limited(stream.of_round(stream.rounds - 1)))])
    deadline = time.monotonic() + _TICKS_WITHIN_SECONDS
    while True:
        found = read_results(at.kafka, at.topic)
        ended = found.filter(pl.col("time") == found["time"].max()).join(last, on="asset", how="right")
        if ended.filter(pl.col("value") == pl.col("value_wanted")).height == stream.meters:
            return len(found), tick_faults(found, stream)
        if time.monotonic() > deadline:
            return len(found), "no tick has the values of the last round"
        time.sleep(1)


def tick_faults(found: pl.DataFrame, stream: Stream) -> str:
    """Each tick has one value of every meter, of a round that it sent, and never goes back to an earlier one."""
    sent = pl.concat(
        pl.DataFrame([stream.assets(), pl.Series("value", _limited(stream.of_round(number)))]).with_columns(
            round=number
        )
        for number in range(stream.rounds)
    )
    last = newest(found)
    of_round = last.join(sent, on=["asset", "value"], how="left")
    # a value may have come in several rounds
    possible = of_round.group_by("asset", "time").agg(least=pl.col("round").min(), most=pl.col("round").max())
    reached = possible.sort("asset", "time").with_columns(before=pl.col("least").cum_max().over("asset"))
    return told({
        "not at a tick": last.filter(pl.col("time") % (1000 * _TICK_SECONDS) != 0),
        "of no value that was sent": of_round.filter(pl.col("round").is_null()),
        "back to an earlier value": reached.filter(pl.col("before") > pl.col("most")),
        "ticks without some meters": last.group_by("time").len().filter(pl.col("len") != stream.meters),
    })  # fmt: skip


def _device_state(meters: Meters, cu: float) -> Task:
    """Connections to Kafka, latest values to Redis; nobody goes offline."""
    block = {"points": [f"{MODEL}::Reading"], "offlineAfter": "1d", "connectionOutput": f"{MODEL}::Connection"}
    job = JobSpec("device-state", {"deviceState": block}, cu)
    return Task(job, meters.stream(noise), _states, meters.phases, needs_redis=True)


def held_readings(latest: Mapping[tuple[str, str], Mapping[str, Any]]) -> pl.DataFrame:
    """What Redis holds of the point that was sent; it holds connections beside it."""
    rows = [
        (asset, value["time"], float(value["value"]))
        for (asset, field), value in latest.items()
        if field == f"{MODEL}::Reading"
    ]
    return pl.DataFrame(rows, schema={"asset": pl.String, "time": pl.Int64, "value": pl.Float64}, orient="row")


def _states(at: Surroundings, stream: Stream) -> tuple[int, str]:
    """Each device has come online once, and its latest value is that of the last round."""
    found = read_results(at.kafka, at.topic, pl.String)
    wanted = pl.DataFrame([stream.assets()])
    held = held_readings(at.redis.latest(at.org_id) if at.redis else {})
    number = stream.rounds - 1
    newest_sent = wanted.with_columns(
        time=pl.lit(stream.time_ms(number), pl.Int64), value=pl.Series(stream.of_round(number))
    )
    online = found.filter((pl.col("value") == "online") & (pl.col("point") == "Connection")).unique(KEY)
    return len(found), told({
        "not online": wanted.join(online, on="asset", how="anti"),
        "other connections": found.join(online, on=KEY, how="anti"),
        "online twice": online.filter(pl.col("asset").is_duplicated()),
        "without the latest value in Redis": newest_sent.join(held, on=["asset", "time", "value"], how="anti"),
    })  # fmt: skip


TEMPLATES: dict[str, tuple[str, Make]] = {
    "windows-tumbling": ("time windows, tumbling, 10 min", _windows(WindowJob())),
    "windows-sliding": ("time windows, sliding, 1 h by 10 min", _windows(WindowJob(("sum",), (60,), 10))),
    "meter-reading": (
        "energy by meter reading",
        Energy(
            "energy-by-meter-reading", "energyByMeterReading", _REGISTER, register,
            lambda stream: oracles.meter_energy(stream, _STEEPEST),
        ),
    ),
    "instant-power": (
        "energy by instant power",
        Energy(
            "energy-by-instant-power", "energyByInstantPower", _POWER, power,
            lambda stream: oracles.instant_energy(stream, _HIGHEST),
        ),
    ),
    "average-power": (
        "energy by average power",
        Energy(
            "energy-by-average-power", "energyByAveragePower", _POWER, power,
            lambda stream: oracles.average_energy(stream, _HIGHEST),
        ),
    ),
    "merging-point": ("merging by a point", _merging_by_point),
    "merging-clock": (f"merging by the clock, every {_TICK_SECONDS} s", _merging_by_clock),
    "device-state": ("device state", _device_state),
}  # fmt: skip
