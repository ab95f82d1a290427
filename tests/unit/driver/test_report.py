"""What a driver says of its lag."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from streamjob_api.checkpoint_tools import OffsetRow
from streamjob_api.connections import Kafka
from streamjob_api.job_file import JobFile, JobIdentity
from streamjob_api.progress import ALL_TOPICS, MAX_PROGRESS_BYTES, DriverState, Progress
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.accounts import Accounts
from streamjob_runtime.offsets import Place
from streamjob_runtime.report import QueryFacts, Report
from streamjob_runtime.throughput import Throughput
from streamjob_runtime.waiting import Waits

EXAMPLE = Path(__file__).parents[3] / "examples" / "meter-extremes" / "streamjob.yaml"


@pytest.fixture
def report() -> Report:
    identity = JobIdentity(
        namespace="ou", name="job", uid="u", created=datetime(2026, 1, 31, tzinfo=UTC), attempt=1, epoch=0, generation=1
    )
    spec = StreamJobSpec.model_validate(yaml.safe_load(EXAMPLE.read_text())["spec"])
    job = JobFile(job=identity, org_id="o1", spec=spec, kafka=Kafka(bootstrap_servers="kafka:9092"))
    made = Report(job, Waits(), Accounts(Throughput(0.0)))
    made.state = DriverState.RUNNING
    return made


def test_the_lag_is_what_the_topic_holds_beyond_what_was_read(report: Report) -> None:
    report.latest = {Place("MEASURE_POINT_ORIGIN_o1", 0): 10, Place("MEASURE_POINT_ORIGIN_o1", 1): 7}
    report.query = QueryFacts(end_offset={"MEASURE_POINT_ORIGIN_o1": {"0": 4, "1": 7}})
    assert report.progress().lag == {"MEASURE_POINT_ORIGIN_o1": 6}
    assert not report.progress().idle


def test_a_job_of_many_topics_tells_the_lag_of_each_as_long_as_that_is_not_too_long(report: Report) -> None:
    def told(topics: list[str]) -> dict[str, int]:
        report.latest = {Place(topic, 0): 10 for topic in topics}
        report.query = QueryFacts(end_offset={topic: {"0": 4} for topic in topics})
        body = report.progress_json()
        assert len(body) <= MAX_PROGRESS_BYTES
        return Progress.model_validate_json(body).lag

    assert told([f"plant-{number}" for number in range(52)]) == {f"plant-{number}": 6 for number in range(52)}
    assert told([f"{number:0249}" for number in range(52)]) == {ALL_TOPICS: 52 * 6}


def test_a_lag_is_not_known_before_both_ends_are(report: Report) -> None:
    report.query = QueryFacts(end_offset={"MEASURE_POINT_ORIGIN_o1": {"0": 4}})
    assert report.progress().lag == {}
    assert not report.progress().idle


def test_offsets_are_told_by_partition_without_topics_that_are_read_no_more(report: Report) -> None:
    assert report.offsets_json() == b""
    report.query = QueryFacts(end_offset={"t": {"0": 4, "1": 7}, "old": {"0": 9}, "now": 3, "edits": 1})
    assert len(report.offsets_json().splitlines()) == 3
    report.latest = {Place("t", 0): 10, Place("t", 1): 7}
    assert [OffsetRow.model_validate_json(line) for line in report.offsets_json().splitlines()] == [
        OffsetRow(topic="t", partition=0, position=4, latest=10, lag=6),
        OffsetRow(topic="t", partition=1, position=7, latest=7, lag=0),
    ]
