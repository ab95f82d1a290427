"""One partition's messages reduced to blocks: what the job says of its messages and assets holds."""

import json
from typing import Any

import polars as pl

from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.decoding import Decoding
from streamjob_runtime.messages import Decoded, Values
from streamjob_runtime.reduction import Reduced, Reduction
from streamjob_runtime.rows import Counts
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import for_job

NOW = 1_700_000_000_000
POLICY = {"input": "Meter::Reading", "aggregation": "max", "windowSize": "10m", "output": "Meter::Max"}
MAPPING = MessageMapping.model_validate(
    {"asset": "id", "time": {"path": "ts", "unit": "s"}, "model": {"name": "Meter"}, "points": {"Reading": "kwh"}}
)


def reduction_for(**spec: Any) -> Reduction:
    template = {"name": "time-window-aggregation", "version": "1.0"}
    job = StreamJobSpec.model_validate(
        {"template": template, "timeWindowAggregation": {"policies": [POLICY]}, **spec},
    )
    used = for_job(job)
    return Reduction(Decoding.of(job, used, NOW, mapping=MAPPING), used.combiner(Shards.of(8)))


def reduced(messages: list[dict[str, Any]], **spec: Any) -> Reduced:
    reduction = reduction_for(**spec)
    reduction.add([json.dumps(message).encode() for message in messages])
    return reduction.finish()


def test_messages_are_read_by_the_mapping_and_assets_left_out_are_counted() -> None:
    messages = [{"id": asset, "ts": NOW // 1000 - 60, "kwh": 5} for asset in ("m1", "m2", "pump")]
    result = reduced([*messages, {}], assets={"include": ["m*"], "exclude": ["m2"]})
    counts = {name: result.counts[name] for name in ("messages", "records", "filtered", "malformed.MissingField")}
    assert counts == {"messages": 4, "records": 1, "filtered": 2, "malformed.MissingField": 1}
    assert len(result.blocks) == 1


def test_every_asset_passes_unless_the_job_says_otherwise() -> None:
    result = reduced([{"id": asset, "ts": NOW // 1000 - 60, "kwh": 5} for asset in ("m1", "m2")])
    assert (result.counts["records"], result.counts["filtered"]) == (2, 0)


def test_a_column_is_read_as_a_list_is() -> None:
    sent = [json.dumps({"id": f"m{number}", "ts": NOW // 1000 - 60, "kwh": number}).encode() for number in range(200)]
    values = [*sent[:100], None, b"", b"\xff", b'{"id": 1}', *sent[100:]]
    (listed, of_list), (column, of_column) = (
        read(each) for each in (values, pl.Series("from elsewhere", values, dtype=pl.Binary))
    )
    assert column.points.equals(listed.points)
    assert column.malformed.rows() == listed.malformed.rows()
    assert of_column == of_list
    assert of_list["bytes"] == sum(len(value or b"") for value in values)
    assert (of_list["messages"], column.malformed["message"].to_list()) == (204, [100, 101, 102, 103])


def read(values: Values) -> tuple[Decoded, Counts]:
    reduction = reduction_for()
    return reduction.add(values), reduction.finish().counts
