"""What stages keep: where it lies, and that none keeps anything unsaid."""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from streamjob_calculators.off_limit_tagger import OffLimitTagger
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Surroundings, for_job
from unit.calculators.pipelines import START, Sent, job, run, stage
from unit.runtime.windows_bench import MemoryStore, points_of

LAST = stage("last-record-appender", name="last", input="M::A", output="M::B")
TAG = stage("off-limit-tagger", "last", name="behind", input="M::B", threshold="[0, 9]")


def attached(stages: Sequence[dict[str, Any]], store: MemoryStore, value: float) -> list[dict[str, Any]]:
    """Return what is attached to the results of one record."""
    template = for_job(job(stages), Surroundings())
    combiner = template.combiner(Shards.of(1))
    points = points_of([("m1", "M::A", START, value)])
    combiner.add(points.with_columns(text=pl.lit(None, pl.String), quality=pl.lit(0, pl.Int64)))
    (block,) = combiner.finish().blocks.values()
    return [json.loads(attr) for attr in template.fold(store, [block], START).results["attr"]]


def test_what_a_stage_keeps_outlives_stages_that_come_and_go() -> None:
    store = MemoryStore()
    attached([LAST], store, 5)
    (second,) = attached([LAST, TAG], store, 7)
    assert second["lastRecordAppender"]["lastRecord"]["value"] == 5
    (third,) = attached([LAST], store, 8)
    assert third["lastRecordAppender"]["lastRecord"]["value"] == 7


def test_a_state_that_has_not_changed_is_not_written_again() -> None:
    store = MemoryStore()
    generator = stage("virtual-record-generator", points=["M::A"], every="1m", output="M::Tick")
    for value in (1, 2, 3):
        attached([generator], store, value)
    assert len(store.written) == 1


def test_a_stage_that_keeps_something_has_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def apply(_: OffLimitTagger, records: Any, run: Any) -> Any:
        run.keep(records.select("asset"))
        return records

    monkeypatch.setattr(OffLimitTagger, "apply", apply)
    with pytest.raises(TypeError, match="says by keeps_state that it does not"):
        run([stage("off-limit-tagger", input="M::A", threshold="[0, 9]", output="M::B")], [Sent("A", 0, 1)])
