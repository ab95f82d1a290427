"""That what the benchmarks calculate over whole rounds is what the oracles' loops make of the messages."""

import json
from collections.abc import Iterator, Mapping

import polars as pl
import pytest

from benchmarks.driven import oracles
from benchmarks.driven.streams import MODEL, Padding, Stream
from benchmarks.driven.tasks import BEYOND, LOWEST, Meters, Phase, Task, WindowJob, window_task
from benchmarks.driven.template_tasks import TEMPLATES, Energy
from oracles import energy, merging, windows

METERS = Meters(9, (Phase("backlog", 150, 0),))
Wanted = dict[tuple[str, str, int], float]


def records(stream: Stream) -> Iterator[windows.Record]:
    """All messages of a stream, read one by one."""
    for number in stream.all_rounds:
        for key, text in zip(stream.assets(), stream.texts(number), strict=True):
            message = json.loads(text)
            (item,) = message["payload"]
            assert (item["assetId"], message["modelId"]) == (key, MODEL)
            point = stream.point(number)
            yield item["assetId"], f"{MODEL}::{point}", item["time"], item["measurepoints"][point]


def final(results: Mapping[windows.Key, windows.Number | None], modes: Mapping[windows.Key, str]) -> Wanted:
    return {
        (asset, point.partition("::")[2], time): float(value or 0)
        for (asset, point, time), value in results.items()
        if modes.get((asset, point, time), "final") == "final"
    }


def columns(frame: pl.DataFrame) -> Wanted:
    assert frame.select("asset", "point", "time").is_unique().all()
    return {(asset, point, time): value for asset, point, time, value in frame.iter_rows()}


def assert_same(found: pl.DataFrame, wanted: Wanted) -> None:
    assert len(wanted) > 20
    assert columns(found) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "job",
    [
        WindowJob(),
        WindowJob(("avg",), (12, 60)),
        WindowJob(("sum",), (60,), 10),
        WindowJob(("max",), (60,), latency="1h", latency_ms=3_600_000),
    ],
    ids=lambda job: f"{job.minutes}-{job.slide_minutes}-{job.latency}",
)
def test_windows_are_those_of_the_loops(job: WindowJob) -> None:
    task = window_task(job, METERS, cu=1)
    policies, latency_ms = windows.policies_of(task.job.block["timeWindowAggregation"])
    outcome = windows.expected(records(task.stream), policies, latency_ms)
    assert_same(oracles.windows(task.stream, job.policies, LOWEST, BEYOND), final(outcome.results, outcome.modes))
    assert outcome.late == 0


def test_some_readings_are_outside_the_threshold() -> None:
    task = window_task(WindowJob(), Meters(100, (Phase("backlog", 50, 0),)), cu=1)
    policies, latency_ms = windows.policies_of(task.job.block["timeWindowAggregation"])
    assert windows.expected(records(task.stream), policies, latency_ms).outside > 0


@pytest.mark.parametrize("name", ["meter-reading", "instant-power", "average-power"])
def test_energy_is_that_of_the_loops(name: str) -> None:
    template = TEMPLATES[name][1]
    assert isinstance(template, Energy)
    task: Task = template(METERS, 1)
    outcome = energy.expected(list(records(task.stream)), template.block, task.job.block[template.block])
    found = oracles.energy(task.stream, template.energies(task.stream), "Day", "Detail", 30 * 60_000)
    assert_same(found, final(outcome.results, outcome.modes))
    assert outcome.outside > 0, "nothing that the threshold refuses"


def test_merging_is_that_of_the_loops() -> None:
    task = TEMPLATES["merging-point"][1](METERS, 1)
    outcome = merging.expected(records(task.stream), task.job.block["multiPointMerging"])
    found = oracles.merged(task.stream, "A", "Merged", lambda own, other: own - other * 2)
    assert_same(found, {(asset, "Merged", time): float(value) for (asset, _, time), value in outcome.results.items()})


def test_padding_makes_messages_longer_and_changes_nothing_else() -> None:
    plain, padded = (
        window_task(WindowJob(), Meters(9, METERS.phases, padding=padding), cu=1).stream
        for padding in (Padding(0, is_bare=True), Padding(55, 300))
    )
    assert list(records(plain)) == list(records(padded))
    assert plain.message_bytes < 125
    assert 1100 < padded.message_bytes < 1500
