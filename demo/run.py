"""The demo from the first manifest to the last comparison."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from confluent_kafka import Producer
from redis import Redis
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from demo import comparison, expected, gateway, meters, results
from demo.comparison import Comparison
from demo.stage import Stage, create_topic
from localcluster.progress import Progress as Steps
from streamjob_api.durations import Duration
from streamjob_api.intervals import Interval

PARTITIONS = 4
STALLED_SECONDS = 300


@dataclass(frozen=True)
class Outcome:
    """What came back, held against what had to.

    Attributes:
        expected: ``asset, point, time, expected`` of every result.
        results: The Cal topic at its highest revisions.
        latest_expected: The same of what Redis must hold.
        latest: Redis' latest values.
        topic: Comparison of all results in Kafka.
        redis: Comparison of all latest values.
        counts: What became of records, by the driver's counting and by the definition.
    """

    expected: pl.DataFrame
    results: pl.DataFrame
    latest_expected: pl.DataFrame
    latest: pl.DataFrame
    topic: Comparison
    redis: Comparison
    counts: dict[str, tuple[int, int]]

    @property
    def holds(self) -> bool:
        """Whether every result, every latest value and every count is as expected."""
        same_counts = all(counted == defined for counted, defined in self.counts.values())
        return self.topic.holds and self.redis.holds and same_counts


def run(stage: Stage, week: meters.Week, data: Path, rate: float, console: Console) -> Outcome:
    """Run the example's job over a week of meters and compare everything that comes back."""
    steps = Steps(console)
    with steps.step("Reading measured consumption"):
        readings = meters.readings(week, meters.fetch(data))
        encoded = gateway.messages(readings, stage.org_id)
    console.print(f"  {readings.height:,} readings of {week.meters:,} meters over {week.days} days")
    with steps.step(f"Removing what a former run left in namespace {stage.namespace}"):
        stage.remove_ou()
    with steps.step("Installing the operator by its chart"):
        stage.install_operator()
    with steps.step(f"Starting Kafka and Redis in namespace {stage.namespace}"):
        stage.install_platform()
    with steps.step("Applying the StreamResource and the StreamJob"):
        stage.apply("streamresource.yaml")
        job = stage.apply("streamjob.yaml")
    name = job["metadata"]["name"]
    with stage.kafka() as bootstrap:
        create_topic(bootstrap, stage.origin_topic, PARTITIONS)
        with steps.step("Waiting until the job is Ready"):
            stage.wait_until_ready(name)
        progress = _send_and_follow(stage, name, bootstrap, encoded, rate, console)
        with steps.step("Calculating the same apart, with pandas"):
            wanted = expected.expect(readings, policy_of(job))
        records = _read_back(stage, bootstrap, console)
    return _outcome(stage, wanted, records, progress["totals"])


def policy_of(job: dict[str, Any]) -> expected.Policy:
    """What the job's manifest says of windows, latency and threshold."""
    windows = job["spec"]["timeWindowAggregation"]
    first = windows["policies"][0]
    threshold = Interval.parse(first["threshold"])
    return expected.Policy(
        Duration.parse(first["windowSize"]).milliseconds,
        Duration.parse(windows["latency"]).milliseconds,
        threshold.low,
        threshold.high,
    )


def _send_and_follow(
    stage: Stage, job: str, bootstrap: str, encoded: pl.DataFrame, rate: float, console: Console
) -> dict[str, Any]:
    """Send everything and wait until the job has read it; returns the driver's last report."""
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 20})
    with _bars(console) as bars:
        sent = bars.add_task("Sent by the gateway", total=encoded.height)
        done = bars.add_task("Read by the job", total=encoded.height)
        reports = _Reports(stage, job, bars, done)

        def on_sent(count: int) -> None:
            bars.advance(sent, count)
            reports.poll(every_seconds=2)

        gateway.send(producer, stage.origin_topic, encoded, rate, on_sent)
        return reports.until_read(encoded.height)


class _Reports:
    """The driver's reports, asked for now and then, shown as a bar."""

    def __init__(self, stage: Stage, job: str, bars: Progress, task: TaskID) -> None:
        self._stage, self._job, self._bars, self._task = stage, job, bars, task
        self._asked_at = 0.0
        self._last: dict[str, Any] = {}

    def poll(self, every_seconds: float) -> dict[str, Any]:
        """Ask again if the last answer is old enough."""
        if time.monotonic() - self._asked_at >= every_seconds:
            self._asked_at = time.monotonic()
            self._last = self._stage.progress(self._job) or self._last
            self._bars.update(self._task, completed=self._last.get("totals", {}).get("messages", 0))
        return self._last

    def until_read(self, messages: int) -> dict[str, Any]:
        """Wait until the job has read so many messages.

        Raises:
            TimeoutError: when nothing moved for five minutes, with the driver's last report.
        """
        seen, moved_at = -1, time.monotonic()
        while (count := self.poll(every_seconds=0.5).get("totals", {}).get("messages", 0)) < messages:
            if count > seen:
                seen, moved_at = count, time.monotonic()
            if time.monotonic() - moved_at > STALLED_SECONDS:
                raise TimeoutError(f"the job stopped at {count:,} of {messages:,} messages; its report: {self._last}")
            time.sleep(0.5)
        return self._last


def _read_back(stage: Stage, bootstrap: str, console: Console) -> pl.DataFrame:
    with _bars(console) as bars:
        task = bars.add_task("Results read back", total=None)
        return results.read_topic(bootstrap, stage.cal_topic, lambda count: bars.advance(task, count))


def _outcome(stage: Stage, wanted: expected.Expected, records: pl.DataFrame, totals: dict[str, int]) -> Outcome:
    frame = comparison.expected_frame(wanted)
    newest, newest_expected = results.highest_revisions(records), comparison.latest_expected(frame)
    with stage.redis() as port:
        latest = results.read_latest(Redis(port=port), stage.org_id, frame["asset"].unique().sort().to_list())
    return Outcome(
        expected=frame,
        results=newest,
        latest_expected=newest_expected,
        latest=latest,
        topic=comparison.compare(frame, newest, records.height),
        redis=comparison.compare(newest_expected, latest, latest.height),
        counts={"late": (totals["late"], wanted.late), "outside": (totals["outside"], wanted.outside)},
    )


def _bars(console: Console) -> Progress:
    columns = (TextColumn("  {task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, refresh_per_second=4)
