"""Inputs that other jobs calculate: known from the file or the command line, and told apart among the lines."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.calculated_inputs import MixedDecoding
from streamjob_cli.command_line import streamjob
from streamjob_cli.subject import subject
from streamjob_runtime.decoding import Decoding
from streamjob_runtime.templates import for_job
from unit.cli.previews import MINUTE, START, job, line, manifest, written

HOURS = {"policies": [{"input": "M::Max", "aggregation": "sum", "windowSize": "1h", "output": "M::Hour"}]}
MAPPING = MessageMapping.model_validate(
    {"asset": "id", "time": {"path": "ts", "unit": "ms"}, "model": {"name": "M"}, "points": {"Max": "x", "A": "a"}}
)


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(streamjob, ["preview", *arguments])


def result(minute: int, value: float, mode: str = "final", asset: str = "a") -> str:
    record = json.loads(line((asset, "M::Max", START + minute * MINUTE, value)))
    return json.dumps(record | {"attr": {"windowAggregator": {"calType": "max", "calMode": mode}}})


def calculated(folder: Path, *jobs: dict[str, Any]) -> frozenset[PointRef]:
    return subject(manifest(folder, *jobs), None, "hours").calculated


def values(output: str) -> list[float]:
    return [json.loads(record)["value"] for record in output.splitlines()]


def test_what_another_job_of_the_file_writes_is_calculated(tmp_path: Path) -> None:
    assert calculated(tmp_path, job(), job("hours", HOURS)) == {PointRef("M", "Max")}
    assert calculated(tmp_path, job("hours", HOURS)) == frozenset()


def test_jobs_of_other_namespaces_and_channels_and_drafts_write_nothing_that_it_reads(tmp_path: Path) -> None:
    elsewhere = job() | {"metadata": {"name": "maxima", "namespace": "another"}}
    for other in (elsewhere, job(messageChannel="Offline"), job(state="Draft"), job(windows={})):
        assert calculated(tmp_path, other, job("hours", HOURS)) == frozenset()


def test_a_repeated_result_replaces_the_earlier_one(tmp_path: Path) -> None:
    records = written(tmp_path, [result(0, 5, "onTime"), result(0, 7), result(10, 2)])
    second = [manifest(tmp_path, job("hours", HOURS)), "--input", records, "--format", "json"]
    assert values(preview(*second).stdout) == [14]
    assert values(preview(*second, "--calculated", "M::Max").stdout) == [9]


def test_results_that_may_still_change_are_left_out_where_final_ones_are_wanted(tmp_path: Path) -> None:
    records = written(tmp_path, [result(0, 5), result(10, 7, "onTime")])
    told = preview(manifest(tmp_path, job(), job("hours", HOURS, finalOnly=True)), "--job", "hours", "--input", records)
    assert values(told.stdout) == [5]
    assert "used                 1  values of M::Max" in told.stderr
    assert "intermediate         1  results that may still change" in told.stderr


def test_a_point_that_the_job_does_not_read_is_refused(tmp_path: Path) -> None:
    told = preview(manifest(tmp_path, job()), "--input", "never-read", "--calculated", "M::Max")
    assert told.stderr == "--calculated: 'M::Max' is no input; the job reads M::A\n"
    assert told.exit_code == 2


def test_results_have_the_services_form_beside_what_devices_send() -> None:
    both = {"policies": [*HOURS["policies"], {**HOURS["policies"][0], "input": "M::A", "output": "M::Raw"}]}
    spec = StreamJobSpec.model_validate(job("hours", both, finalOnly=True, assets={"exclude": ["b"]})["spec"])
    ref = frozenset({PointRef("M", "Max")})
    reading = MixedDecoding.of(Decoding.of(spec, for_job(spec), None, mapping=MAPPING, calculated=ref), ref)
    device = json.dumps({"id": "a", "ts": START, "x": 8, "a": 9})
    lines = [device, result(0, 1), "{", result(1, 2, "onTime"), result(2, 3, asset="b"), device, '{"id": "a"}']
    decoded = reading.read([text.encode() for text in lines])
    taken = decoded.points.select("message", "point", "value").rows()
    assert taken == [(0, "A", 9.0), (1, "Max", 1.0), (5, "A", 9.0)]
    assert decoded.malformed.select("message", "reason").rows() == [(2, "InvalidJson"), (6, "MissingField")]
    assert (decoded.intermediate, decoded.filtered, decoded.records) == (1, 1, 4)
