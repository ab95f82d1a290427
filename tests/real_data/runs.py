"""A job run over real data, as ``streamjob preview`` runs it: messages in, in micro-batches, results out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from real_data.times import epoch_ms
from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.trial import Trial
from streamjob_runtime.templates import for_job
from streamjob_runtime.templates.protocols import RESULTS

WINDOWS, METER, MERGING = "timeWindowAggregation", "energyByMeterReading", "multiPointMerging"
INSTANT, AVERAGE = "energyByInstantPower", "energyByAveragePower"
NAMES = {
    WINDOWS: "time-window-aggregation",
    METER: "energy-by-meter-reading",
    INSTANT: "energy-by-instant-power",
    AVERAGE: "energy-by-average-power",
    MERGING: "multi-point-merging",
}


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        results: ``asset``, ``point`` (without its model), ``time`` (epoch ms), ``value``: the last of each result.
        counted: records by what became of them.
    """

    results: pl.DataFrame
    counted: Counter[str]

    def series(self, point: str, asset: str = "a") -> "pd.Series[float]":
        """The values of one point of an asset, by time."""
        rows = self.results.filter(asset=asset, point=point).sort("time")
        return pd.Series(rows["value"].to_numpy(), pd.to_datetime(rows["time"].to_numpy(), unit="ms", utc=True))


def records(values: "pd.Series[float]", point: str = "A", asset: str = "a") -> pl.DataFrame:
    """``asset``, ``point``, ``time`` (epoch ms), ``value`` of a series that is indexed by times, in its order."""
    columns = {"time": epoch_ms(values.index), "value": values.to_numpy(float)}
    return pl.DataFrame(columns).select(pl.lit(asset).alias("asset"), pl.lit(point).alias("point"), "time", "value")


def messages(arriving: pl.DataFrame) -> list[bytes]:
    """Each record as a message, in the order of arrival; a double is written with all the digits that it needs."""
    parts = ('{"modelId":"M","assetId":"', '","pointId":"', '","time":', ',"value":')
    columns = [
        item for text, name in zip(parts, arriving.columns, strict=True) for item in (pl.lit(text), pl.col(name))
    ]
    lines = arriving.select(pl.concat_str(*columns, pl.lit("}"))).to_series()
    return [line.encode() for line in lines]


def payloads(frame: pd.DataFrame, asset: str = "a") -> list[bytes]:
    """Each row of a frame as a device's message of all its columns."""
    rows = pl.from_pandas(frame).select(pl.struct(pl.all()).struct.json_encode()).to_series()
    head = f'{{"modelId":"M","modelIdPath":"/M","payload":[{{"assetId":"{asset}","time":'
    return [
        f'{head}{time},"measurepoints":{row}}}]}}'.encode()
        for time, row in zip(epoch_ms(frame.index), rows, strict=True)
    ]


def run(block: str, job: Mapping[str, Any], lines: Sequence[bytes], batches: int = 7) -> Outcome:
    """Run a job of model ``M`` over messages, in the order of their arrival, cut into uneven micro-batches."""
    spec = StreamJobSpec.model_validate({"template": {"name": NAMES[block], "version": "1.0"}, block: job})
    trial = Trial(spec, for_job(spec), None, None)
    cuts = sorted(np.random.default_rng(5).choice(len(lines), batches - 1, replace=False))
    bounds = zip([0, *cuts], [*cuts, len(lines)], strict=True)
    parts = [part for begin, end in bounds for part in trial.feed(lines[begin:end])[0]]
    results = pl.concat([RESULTS.to_frame(), *parts, *trial.close()]).select("asset", "point", "time", "value")
    assert trial.counted["messages"] == len(lines)
    last = results.unique(["asset", "point", "time"], keep="last", maintain_order=True)
    return Outcome(last, trial.counted)
