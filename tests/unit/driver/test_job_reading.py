"""The job file: taken as the operator wrote it, or refused in words that lead to the cause."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.job_reading import read_job

ROOT = Path(__file__).parents[3]


def written() -> dict[str, Any]:
    """``job.json`` of the golden plan: what the operator writes."""
    plan = yaml.safe_load_all((ROOT / "tests/unit/golden/everything/plan.yaml").read_text())
    (config_map,) = [each for each in plan if each["kind"] == "ConfigMap"]
    job = json.loads(config_map["data"]["job.json"])
    assert isinstance(job, dict)
    return job


def refusal(folder: Path, text: str) -> str:
    (folder / "job.json").write_text(text)
    with pytest.raises(InvalidConfiguration) as refused:
        read_job(folder / "job.json")
    return refused.value.message.removeprefix(f"{folder}/")


def test_what_the_operator_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(written()))
    assert read_job(tmp_path / "job.json").model_dump(mode="json", exclude_none=True) == written()


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="No such file"):
        read_job(tmp_path / "job.json")
    assert refusal(tmp_path, "{").startswith("job.json: Expecting property name")


def test_all_faults_are_named_with_their_paths(tmp_path: Path) -> None:
    job = written() | {"httpPort": -1}
    job["spec"]["priority"] = "high"
    told = refusal(tmp_path, json.dumps(job))
    assert "job.spec.priority: " in told
    assert "job.httpPort: " in told


def test_a_file_of_another_format_asks_for_the_image_of_the_operator(tmp_path: Path) -> None:
    assert "format version 99" in refusal(tmp_path, json.dumps(written() | {"formatVersion": 99}))


def test_a_cluster_job_of_an_operator_that_knows_no_executors_is_refused(tmp_path: Path) -> None:
    job = written()
    job["spec"]["resources"] = {"mode": "Cluster", "master": {"cu": 1}, "workers": 1, "worker": {"cu": 1}}
    assert "upgrade the operator" in refusal(tmp_path, json.dumps(job))
