"""Pipelines run over records, by the driver's own code."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.trial import Trial
from streamjob_runtime.records import encode
from streamjob_runtime.templates import Surroundings, for_job

NOTHING_BESIDE = Surroundings()
# A midnight in UTC. Records tell their times from here on: earlier ones would be taken for seconds.
START = 1_700_006_400_000


class Sent(NamedTuple):
    """A record of model ``M`` that a device sends; ``time`` is milliseconds from START."""

    point: str
    time: int
    value: float | str | bool
    asset: str = "m1"

    @property
    def line(self) -> bytes:
        record = {
            "modelId": "M",
            "assetId": self.asset,
            "pointId": self.point,
            "time": START + self.time,
            "value": self.value,
        }
        return json.dumps(record).encode()


def stage(calculator: str, *before: str, name: str | None = None, **parameters: Any) -> dict[str, Any]:
    """Return a stage, named as its calculator, behind ``source`` unless it is told behind which."""
    return {
        "name": name or calculator,
        "calculator": calculator,
        "from": [*(before or ("source",))],
        "parameters": parameters,
    }


def job(stages: Sequence[Mapping[str, Any]]) -> StreamJobSpec:
    spec = {"template": {"name": "pipeline", "version": "1.0"}, "pipeline": {"stages": [*stages]}}
    return StreamJobSpec.model_validate(spec)


class Outcome(NamedTuple):
    """What came of records.

    Attributes:
        records: results, as they are sent, but for ``time``, milliseconds from START.
        counted: records by what became of them.
    """

    records: list[dict[str, Any]]
    counted: Counter[str]

    def values(self, *fields: str) -> list[tuple[Any, ...]]:
        """Return some fields of each result, in their order."""
        return [tuple(record.get(field) for field in fields) for record in self.records]

    def attached(self, name: str) -> list[Any]:
        """Return one part of each result's ``attr``, in their order."""
        return [record["attr"].get(name) for record in self.records]


def run(
    stages: Sequence[Mapping[str, Any]],
    *micro_batches: Iterable[Sent],
    surroundings: Surroundings = NOTHING_BESIDE,
) -> Outcome:
    """Run a pipeline over micro-batches."""
    return outcome(job(stages), micro_batches, surroundings)


def outcome(
    spec: StreamJobSpec, micro_batches: Iterable[Iterable[Sent]], surroundings: Surroundings = NOTHING_BESIDE
) -> Outcome:
    """Run any job over micro-batches."""
    trial = Trial(spec, for_job(spec, surroundings), None, None)
    frames: list[pl.DataFrame] = []
    for sent in micro_batches:
        results, _ = trial.feed([each.line for each in sent])
        frames += results
    frames += trial.close()
    records = [json.loads(line) for frame in frames for line in encode(frame, "o1")["record"]]
    return Outcome([{**record, "time": record["time"] - START} for record in records], trial.counted)
