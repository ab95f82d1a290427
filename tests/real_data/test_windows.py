"""Windows are what pandas and Polars make of the same measurements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from real_data.agreement import assert_agree
from real_data.data_sets import HOURLY_METERS, household, meter
from real_data.runs import WINDOWS, Outcome, messages, records, run

# By the name of an aggregation: what both tools call it.
AGGREGATIONS = {"max": "max", "min": "min", "avg": "mean", "sum": "sum", "cnt": "count"}
WITH_DUPLICATES = ("uk-electricity-hdd-only-hourly-sample-1", "uk-electricity-hdd-only-hourly-sample-2")
METERS = (
    *(f"{name}-hourly" for name in HOURLY_METERS),
    "uk-electricity-hdd-only-hourly-sample-0",
    "uk-gas-hdd-only-hourly-sample-0",
    *WITH_DUPLICATES,
)


@dataclass(frozen=True)
class Case:
    """What arrives, and over which windows it is aggregated.

    Attributes:
        inputs: the values of each asset, by time.
        windows: size and slide; without a slide they are tumbling.
        job: more fields of the block.
        delay_seconds: records arrive out of order, each by less than this too late.
    """

    inputs: Mapping[str, "pd.Series[float]"]
    windows: Sequence[tuple[str, str | None]]
    job: Mapping[str, Any] = field(default_factory=dict)
    delay_seconds: int = 0

    def run(self) -> Outcome:
        policies = [
            {"input": "M::A", "aggregation": name, "windowSize": size, "output": f"M::{name}-{size}"}
            | ({"slide": slide} if slide else {})
            for size, slide in self.windows
            for name in AGGREGATIONS
        ]
        kind = "Sliding" if any(slide for _, slide in self.windows) else "Tumbling"
        job = {"windowType": kind, "latency": f"{self.delay_seconds}s", "policies": policies, **self.job}
        return run(WINDOWS, job, messages(self._arriving()))

    def _arriving(self) -> pl.DataFrame:
        frame = pl.concat([records(values, asset=asset) for asset, values in self.inputs.items()])
        delays = np.random.default_rng(7).integers(0, self.delay_seconds * 1000 or 1, len(frame))
        return frame.sort(pl.col("time") + pl.Series(delays), maintain_order=True)


def home(begin: str, end: str) -> Mapping[str, "pd.Series[float]"]:
    """The household's five points, each as an asset of its own."""
    minutes = household(begin, end)
    return {str(name): minutes[name] for name in minutes}


def meters(*names: str) -> Mapping[str, "pd.Series[float]"]:
    return {name: meter(name) for name in names}


CASES: dict[str, Callable[[], Case]] = {
    "household": lambda: Case(home("2007-01-01", "2007-03-01"), [("10m", None), ("1h", None), ("1d", None)]),
    "household, sliding": lambda: Case(home("2007-01-01", "2007-03-01"), [("30m", "10m"), ("1h", "15m"), ("1d", "1h")]),
    "household, out of order": lambda: Case(
        home("2007-05-01", "2007-06-01"), [("10m", None), ("1h", None)], delay_seconds=3600
    ),
    "household, sliding and out of order": lambda: Case(
        home("2007-05-01", "2007-06-01"), [("15m", "5m"), ("1h", "30m")], delay_seconds=3600
    ),
    "meters": lambda: Case(meters(*METERS), [("4h", None), ("1d", None)]),
    "meters, sliding": lambda: Case(meters(*METERS), [("2h", "1h"), ("1d", "6h")]),
}


@pytest.fixture(scope="module", params=CASES)
def compared(request: pytest.FixtureRequest) -> tuple[Case, Outcome]:
    """A case and what the template made of it; every record took part."""
    case = CASES[request.param]()
    outcome = case.run()
    assert outcome.counted["records"] == sum(map(len, case.inputs.values()))
    assert outcome.counted["late"] == outcome.counted["outside"] == 0
    return case, outcome


def test_windows_are_those_of_pandas(compared: tuple[Case, Outcome]) -> None:
    assert_windows(*compared, by_pandas)


def test_windows_are_those_of_polars(compared: tuple[Case, Outcome]) -> None:
    assert_windows(*compared, by_polars)


def test_the_meters_send_some_times_twice() -> None:
    """Both records of a time count, here as in the other tools. If there were none, the cases would show less."""
    assert [int(meter(name).index.duplicated().sum()) for name in WITH_DUPLICATES] == [15, 24]


def test_of_records_that_replace_each_other_the_last_one_counts() -> None:
    """Each half-hour comes twice, first with half of its energy; pandas drops the first of both."""
    energies = meter(WITH_DUPLICATES[1])
    both = pd.concat([energies / 2, energies]).sort_index(kind="stable")
    job = {"duplicates": "ReplaceSameTime"}
    for windows in ([("1h", None), ("1d", None)], [("2h", "30m"), ("1d", "6h")]):
        outcome = Case({"a": both}, windows, job).run()
        last = both[~both.index.duplicated(keep="last")]
        assert len(last) < len(energies)
        assert_windows(Case({"a": last}, windows), outcome, by_pandas)


def assert_windows(
    case: Case, outcome: Outcome, theirs: Callable[["pd.Series[float]", str, str | None], pd.DataFrame]
) -> None:
    compared = 0
    for asset, values in case.inputs.items():
        for size, slide in case.windows:
            windows = theirs(values, size, slide)
            for ours, name in AGGREGATIONS.items():
                # the tools' running sums round, where a window's values are all 0 by no more than 1e-9
                assert_agree(outcome.series(f"{ours}-{size}", asset), windows[name], absolute=1e-9)
                compared += len(windows)
    assert compared == len(outcome.results)


def by_pandas(values: "pd.Series[float]", size: str, slide: str | None) -> pd.DataFrame:
    """All aggregations: of tumbling windows by ``resample``, of sliding ones by ``rolling``."""
    every, length = (text.replace("m", "min") for text in (slide or size, size))
    if slide is None:
        tumbling = values.resample(every, origin="epoch")
        windows = pd.DataFrame({name: tumbling.agg(name) for name in AGGREGATIONS.values()})
    else:
        ends = _ends(pd.DatetimeIndex(values.index), every, pd.Timedelta(length))
        # At each end a row without a value, which looks back over [end - size, end).
        rows = pd.concat([pd.Series(np.nan, ends), values]).sort_index(kind="stable")
        sliding = rows.rolling(length, closed="left")
        looks = pd.DataFrame({name: sliding.agg(name) for name in AGGREGATIONS.values()})
        windows = looks[~looks.index.duplicated()].loc[ends].set_index(ends - pd.Timedelta(length))
    return windows[windows["count"] > 0]


def _ends(times: pd.DatetimeIndex, every: str, length: pd.Timedelta) -> pd.DatetimeIndex:
    """The ends of all windows that hold any of the times."""
    return pd.date_range(times[0].floor(every) + pd.Timedelta(every), times[-1].floor(every) + length, freq=every)


def by_polars(values: "pd.Series[float]", size: str, slide: str | None) -> pd.DataFrame:
    """All aggregations by ``group_by_dynamic``."""
    times = pd.DatetimeIndex(values.index).tz_localize(None).as_unit("ms")
    frame = pl.DataFrame({"time": times, "v": values.to_numpy()})
    # Polars begins with the window at the first record; the offset lets it begin with the first one that holds it.
    windows = frame.group_by_dynamic("time", every=slide or size, period=size, offset=f"-{size}" if slide else None)
    value = pl.col("v")
    found = windows.agg(max=value.max(), min=value.min(), mean=value.mean(), sum=value.sum(), count=value.len())
    return found.to_pandas().set_index("time").tz_localize("UTC")
