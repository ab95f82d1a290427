"""Each pipeline of the gallery gives what its oracle expects, and the meter chain what the template gives."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from oracles.pipelines import GALLERY, ORACLES, Key, expected
from streamjob_cli.command_line import streamjob

EXAMPLES = sorted(folder.name for folder in GALLERY.iterdir() if folder.is_dir())


def previewed(name: str, manifest: Path) -> dict[Key, float]:
    """The last value of each asset, point and time."""
    folder = GALLERY / name
    arguments = ["--resource", folder / "ou.yaml", "--input", folder / "input.jsonl", "--batch", "37"]
    if (folder / "attributes.jsonl").exists():
        arguments += ["--attributes", folder / "attributes.jsonl"]
    done = CliRunner().invoke(streamjob, ["preview", str(manifest), *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return {(each["assetId"], each["pointId"], each["time"]): each["value"] for each in lines(done.stdout)}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_example_has_an_oracle() -> None:
    assert sorted(ORACLES) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_expected_results_are_those_of_the_oracle(name: str) -> None:
    told = lines((GALLERY / name / "expected.jsonl").read_text())
    assert {(each["assetId"], each["pointId"], each["time"]): each["value"] for each in told} == expected(name)
    assert len(told) >= 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_preview_gives_the_expected_results(name: str) -> None:
    found, wanted = previewed(name, GALLERY / name / "streamjob.yaml"), expected(name)
    assert found.keys() == wanted.keys()
    assert found == pytest.approx(wanted, rel=1e-12)


def test_the_meter_chain_gives_what_the_template_gives(tmp_path: Path) -> None:
    name = "sub-meter-energy"
    job = yaml.safe_load((GALLERY / name / "streamjob.yaml").read_text())
    policy = {"slopeThreshold": "[0, 50]", "scaleAttribute": "SubMeter::Ratio", "dailyOutput": "SubMeter::EnergyDay"}
    job["spec"] = {
        "template": {"name": "energy-by-meter-reading", "version": "1.0"},
        "energyByMeterReading": {"policies": [{"input": "SubMeter::Reading", **policy}]},
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    by_template = previewed(name, tmp_path / "job.json")
    assert previewed(name, GALLERY / name / "streamjob.yaml") == pytest.approx(by_template, rel=1e-12)
