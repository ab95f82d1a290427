"""CPU of a pipeline alone: records combined, and folded through its stages into a state that is there already."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from benchmarks.driven.calculator_tasks import Case, every, stage
from benchmarks.driven.known_assets import AlikeAssets
from benchmarks.driven.streams import MODEL, Stream
from benchmarks.driven.tasks import MINUTE_MS
from benchmarks.memory import Memory
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.shards import Shards
from streamjob_runtime.state_layout import STANDALONE
from streamjob_runtime.templates import Surroundings, for_job

_MICRO_BATCHES = 6
_CHUNK = 50_000
_REPETITIONS = 5  # of what is subtracted from each other


@dataclass(frozen=True)
class Cost:
    """The least of several micro-batches.

    Attributes:
        cpu_us: of a record; all of the process' threads.
        rate: records a second by the clock.
    """

    cpu_us: float
    rate: int


def cost_of(case: Case, meters: int, per_meter: int) -> Cost:
    """Return what a record costs that is combined and taken through a pipeline, results in columns included."""
    spec = StreamJobSpec.model_validate({"template": {"name": "pipeline", "version": "1.0"}, **case.block})
    template = for_job(spec, Surroundings(assets=AlikeAssets()))
    stream = Stream(case.values, meters, _MICRO_BATCHES * per_meter, MINUTE_MS, case.points)
    stores: dict[int, Memory] = {}
    costs = []
    for number in range(_MICRO_BATCHES):
        points = _points(stream, range(number * per_meter, (number + 1) * per_meter), has_texts=bool(template.texts))
        cpu, clock = time.process_time(), time.perf_counter()
        combiner = template.combiner(Shards.of(STANDALONE))
        for chunk in points.iter_slices(_CHUNK):
            combiner.add(chunk)
        blocks = {shard: to_bytes(block) for shard, block in combiner.finish().blocks.items()}
        for shard, block in blocks.items():
            to_bytes(template.fold(stores.setdefault(shard, Memory()), [from_bytes(block)], 0).results)
        costs.append((time.process_time() - cpu, time.perf_counter() - clock))
    records = meters * per_meter
    least_cpu, least_seconds = (min(each) for each in zip(*costs[1:], strict=True))  # the first meets an empty state
    return Cost(round(least_cpu / records * 1e6, 2), round(records / least_seconds))


def _points(stream: Stream, rounds: range, *, has_texts: bool) -> pl.DataFrame:
    """Return what decoding gives of some rounds."""
    frames = [
        pl.DataFrame([stream.assets(), pl.Series("value", stream.of_round(number))]).select(
            pl.lit(0, pl.UInt32).alias("message"),
            "asset",
            pl.lit(MODEL).alias("model"),
            pl.lit(f"/{MODEL}").alias("model_path"),
            pl.lit(stream.point(number)).alias("point"),
            pl.lit(stream.time_ms(number), pl.Int64).alias("time"),
            "value",
            pl.lit(value=False).alias("is_int"),
            *([pl.lit(None, pl.String).alias("text")] if has_texts else []),
            pl.lit(0, pl.Int64).alias("quality"),
        )
        for number in rounds
    ]
    return pl.concat(frames)


def ten_stages(meters: int) -> dict[str, Any]:
    """Return what ten taggers in a row cost a record, beside ten times what one costs more than none."""
    costs = {
        count: min(cost_of(_taggers(count), meters, 50).cpu_us for _ in range(_REPETITIONS)) for count in (1, 2, 10)
    }
    of_one = costs[2] - costs[1]
    return {"cpu_us": costs[10], "sum_of_stages_cpu_us": round(costs[1] + 9 * of_one, 2)}


def _taggers(count: int) -> Case:
    return Case(tuple(_chain(count)), every)


def _chain(count: int) -> Iterator[dict[str, Any]]:
    before = "source"
    for number in range(count):
        point = f"{MODEL}::Reading" if not number else f"{MODEL}::P{number}"
        tagger = stage("off-limit-tagger", before, input=point, output=f"{MODEL}::P{number + 1}", threshold="[0, 1]")
        before = f"tag{number}"
        yield {**tagger, "name": before}
