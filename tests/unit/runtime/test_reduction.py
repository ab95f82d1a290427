"""One partition's messages reduced to blocks: what the job says of its messages and assets holds."""

import json
from typing import Any

from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.decoding import Decoding
from streamjob_runtime.reduction import Reduced, Reduction
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import for_job

NOW = 1_700_000_000_000
POLICY = {"input": "Meter::Reading", "aggregation": "max", "windowSize": "10m", "output": "Meter::Max"}
MAPPING = MessageMapping.model_validate(
    {"asset": "id", "time": {"path": "ts", "unit": "s"}, "model": {"name": "Meter"}, "points": {"Reading": "kwh"}}
)


def reduced(messages: list[dict[str, Any]], **spec: Any) -> Reduced:
    template = {"name": "time-window-aggregation", "version": "1.0"}
    job = StreamJobSpec.model_validate(
        {"template": template, "timeWindowAggregation": {"policies": [POLICY]}, **spec},
    )
    used = for_job(job)
    reduction = Reduction(Decoding.of(job, used, NOW, mapping=MAPPING), used.combiner(Shards.of(8)))
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
