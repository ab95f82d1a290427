"""Each pipeline of the gallery gives what its oracle expects, and the meter chain what the template gives."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from fixtures.confinement import needs_confinement
from oracles.pipelines import (
    GALLERY,
    ORACLES,
    Key,
    Value,
    door_changes,
    expected,
    input_of,
    mean_temperatures,
)
from streamjob_cli.command_line import streamjob
from streamjob_cli.validate import Request, checked

EXAMPLES = sorted(folder.name for folder in GALLERY.iterdir() if folder.is_dir())
# Those with a script run where it can be confined.
RUN = [pytest.param(name, marks=needs_confinement if name == "compressor-cycles" else ()) for name in EXAMPLES]


def previewed(name: str, manifest: Path) -> dict[Key, Value]:
    """The last value of each asset, point and time."""
    return last_values(preview(name, manifest, "--batch", "37"))


def preview(name: str, manifest: Path, *options: str, records: Path | None = None) -> list[dict[str, Any]]:
    folder = GALLERY / name
    arguments = ["--resource", folder / "ou.yaml", "--input", records or folder / "input.jsonl", *options]
    if (folder / "attributes.jsonl").exists():
        arguments += ["--attributes", folder / "attributes.jsonl"]
    done = CliRunner().invoke(streamjob, ["preview", str(manifest), *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return lines(done.stdout)


def last_values(results: list[dict[str, Any]]) -> dict[Key, Value]:
    return {(each["assetId"], each["pointId"], each["time"]): each["value"] for each in results}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_example_has_an_oracle() -> None:
    assert sorted(ORACLES) == EXAMPLES


def close_to(wanted: Mapping[Key, Value]) -> Mapping[Key, Any]:
    return {key: value if isinstance(value, str) else pytest.approx(value, rel=1e-12) for key, value in wanted.items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_wrong_with_an_example(name: str) -> None:
    assert not checked(Request([str(GALLERY / name)])).findings


@pytest.mark.parametrize("name", RUN)
def test_the_command_of_its_page_shows_results(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GALLERY / name)
    (command,) = re.findall(r"```sh\nuv run streamjob (.*)\n```", Path("README.md").read_text())
    done = CliRunner().invoke(streamjob, shlex.split(command), catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_expected_results_are_those_of_the_oracle(name: str) -> None:
    told = lines((GALLERY / name / "expected.jsonl").read_text())
    assert last_values(told) == expected(name)
    assert len(told) >= 5


@pytest.mark.parametrize("name", RUN)
def test_a_preview_gives_the_expected_results(name: str) -> None:
    found, wanted = previewed(name, GALLERY / name / "streamjob.yaml"), expected(name)
    assert found.keys() == wanted.keys()
    assert found == close_to(wanted)


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


def test_each_state_of_a_door_stands_beside_the_record_that_last_changed_it() -> None:
    results = preview("door-states", GALLERY / "door-states" / "streamjob.yaml", "--batch", "7")
    found = [
        ((each["assetId"], each["pointId"], each["time"]), each["value"], changed and changed["lastChangedTs"])
        for each in results
        for changed in [each["attr"]["lastChangedRecordAppender"]]
    ]
    assert Counter(found) == Counter(door_changes(input_of("door-states")))


def test_a_template_reads_the_clean_temperatures(tmp_path: Path) -> None:
    name = "clean-temperatures"
    clean = preview(name, GALLERY / name / "streamjob.yaml")
    (tmp_path / "clean.jsonl").write_text("".join(json.dumps(each) + "\n" for each in clean))
    read = ("--calculated", "Weather::Temperature")
    found = preview(name, GALLERY / name / "reader.yaml", *read, records=tmp_path / "clean.jsonl")
    assert last_values(found) == pytest.approx(mean_temperatures(input_of(name)), rel=1e-12)
