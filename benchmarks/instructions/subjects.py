"""The hot functions whose instructions are counted, each on an input that is the same in every run.

What is counted is what the driver calls for each micro-batch; sizes are such that the cost of a record and the cost of
a call both show.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl

from benchmarks.decode import MAPPED, NOW_MS, messages
from benchmarks.memory import Memory
from benchmarks.templates import BASE_MS, CASES, MINUTE_MS, points
from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import decode
from streamjob_runtime.records import encode
from streamjob_runtime.shards import Shards
from streamjob_runtime.state_layout import STANDALONE
from streamjob_runtime.templates import Template, for_job
from streamjob_runtime.templates.protocols import results_of

RECORDS = 10_000
# Of a job that begins today: one for each partition of its state. Each gets a block and has a store.
SHARDS = 4
READING = frozenset({PointRef("ElectricMeter", "Reading")})


@dataclass(frozen=True)
class Subject:
    """A function on its input.

    Attributes:
        name: what it is called in the baseline.
        prepare: makes the input and returns what is counted; that may be called again and again, and returns the
            number of rows that it gave.
        rows: how many these must be; another function than the one that is meant would be counted else.
    """

    name: str
    prepare: Callable[[], Callable[[], int]]
    rows: int


def decoding(form: str, mapping: MessageMapping | None = None) -> Callable[[], int]:
    values = messages(RECORDS, RECORDS // 50, form)
    return lambda: decode(values, READING, NOW_MS, 300_000, mapping=mapping).points.height


def template_of(case: str) -> Template:
    template, block, policies, _ = CASES[case]
    spec = {"template": {"name": template, "version": "1.0"}, block: policies}
    return for_job(StreamJobSpec.model_validate(spec))


def batch(template: Template, number: int, per_meter: int) -> pl.DataFrame:
    read = points(RECORDS // per_meter, per_meter, number * per_meter, disorder=False)
    return read.with_columns(text=pl.lit(None, pl.String)) if template.texts else read


def combined(template: Template, read: pl.DataFrame) -> dict[int, bytes]:
    combiner = template.combiner(Shards.of(STANDALONE))
    combiner.add(read)
    return {shard: to_bytes(block) for shard, block in combiner.finish().blocks.items()}


def combining(case: str, per_meter: int) -> Callable[[], int]:
    template = template_of(case)
    read = batch(template, 1, per_meter)
    return lambda: len(combined(template, read))


def folding(case: str, per_meter: int) -> Callable[[], int]:
    """The second micro-batch, into the state that the first has left."""
    template = template_of(case)
    blocks = [combined(template, batch(template, number, per_meter)) for number in range(2)]
    stores = {shard: Memory() for shard in sorted(blocks[1])}
    fold_all(template, stores, blocks[0], 1, per_meter)

    def counted() -> int:
        copies = {shard: Memory(store) for shard, store in stores.items()}
        return fold_all(template, copies, blocks[1], 2, per_meter)

    return counted


def fold_all(
    template: Template, stores: dict[int, Memory], blocks: dict[int, bytes], batches: int, per_meter: int
) -> int:
    now_ms = BASE_MS + batches * per_meter * MINUTE_MS
    return sum(
        template.fold(store, [from_bytes(blocks[shard])], now_ms).results.height for shard, store in stores.items()
    )


def encoding(encoder: Callable[[pl.DataFrame, str], pl.DataFrame] = encode) -> Callable[[], int]:
    read = points(RECORDS, 1, 0, disorder=False)
    columns = read.select("asset", "model", "model_path", "point", "time", "value", "is_int")
    results = results_of({**columns.to_dict(), "attr": '{"windowAggregator":{"calMode":"onTime"}}'})
    return lambda: encoder(results, "o15724268424841").height


SUBJECTS = (
    Subject("decode_origin", partial(decoding, "plain"), RECORDS),
    Subject("decode_varying_points", partial(decoding, "varying_points"), RECORDS),
    Subject("decode_mapped", partial(decoding, "mapped", MAPPED["mapped"][1]), RECORDS),
    Subject("combine_windows_50_a_key", partial(combining, "windows", 50), SHARDS),
    Subject("combine_windows_1_a_key", partial(combining, "windows", 1), SHARDS),
    Subject("fold_windows_50_a_key", partial(folding, "windows", 50), 1_000),
    Subject("fold_windows_1_a_key", partial(folding, "windows", 1), 0),
    Subject("combine_energy", partial(combining, "meter_reading", 50), SHARDS),
    Subject("fold_energy", partial(folding, "meter_reading", 50), 200),
    Subject("combine_merging_by_point", partial(combining, "merging_point", 50), SHARDS),
    Subject("fold_merging_by_point", partial(folding, "merging_point", 50), RECORDS),
    Subject("encode", encoding, RECORDS),
)
