"""Calculators that another package brings, as its users would write one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from streamjob_api.points import PointRef
from streamjob_api.state_identity import stage_identity
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.job_reading import read_job
from unit.calculators.pipelines import Sent, job, stage

PAGE = Path(__file__).parents[3] / "docs" / "templates" / "pipeline.md"
(MODULE,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder as an installer of packages leaves it."""
    package, metadata = tmp_path / "acme_calculators", tmp_path / "acme-1.0.dist-info"
    package.mkdir()
    metadata.mkdir()
    (package / "__init__.py").write_text("")
    (package / "doubler.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[streamjob.calculators]\nacme = acme_calculators\n")
    return tmp_path


def test_it_runs_under_the_packages_name(installed: Path) -> None:
    manifest = {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamJob",
        "metadata": {"name": "doubled", "namespace": "ou"},
        "spec": {
            "template": {"name": "pipeline", "version": "1.0"},
            "pipeline": {"stages": [stage("acme/doubler", name="double", input="M::A", output="M::B")]},
        },
    }
    (installed / "job.json").write_text(json.dumps(manifest))
    (installed / "input.jsonl").write_bytes(Sent("A", 1, 21).line)
    done = preview(installed, {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(installed)])})
    assert [json.loads(line)["value"] for line in done.stdout.splitlines()] == [42]
    without = preview(installed, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert "'acme/doubler' is of the package 'acme', which is not installed here" in without.stderr


def test_without_it_what_is_known_of_parameters_by_custom_is_checked() -> None:
    stages = [
        stage("acme/joiner", name="join", inputs=["M::A", {"point": "M::B"}], output="M::C", depth=3),
        stage("off-limit-tagger", "join", name="tag", input="M::C", output="M::D", threshold="[0, 1]"),
    ]
    pipeline = job(stages).pipeline
    assert pipeline is not None
    assert (set(map(str, pipeline.inputs())), next(pipeline.edges()).output) == ({"M::A", "M::B"}, PointRef("M", "D"))
    assert [*pipeline.not_installed()] == [
        "spec.pipeline.stages[0].calculator: 'acme/joiner' is of the package 'acme', which is not installed here"
    ]
    assert stage_identity(pipeline.stages[0])["parameters"]["depth"] == 3


def test_a_driver_without_it_says_so(tmp_path: Path) -> None:
    spec = job([stage("acme/doubler", name="double", input="M::A", output="M::B")])
    identity = {"namespace": "ou", "name": "doubled", "uid": "u", "created": "2026-01-01T00:00:00Z"}
    told = {
        "job": {**identity, "attempt": 1, "epoch": 0, "generation": 1},
        "orgId": "o1",
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        "kafka": {"bootstrapServers": "kafka:9092"},
    }
    (tmp_path / "job.json").write_text(json.dumps(told))
    with pytest.raises(InvalidConfiguration, match="'acme/doubler' is of the package 'acme', which is not installed"):
        read_job(tmp_path / "job.json")


def preview(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "streamjob_cli", "preview", "job.json", "--input", "input.jsonl"]
    return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_module_that_holds_no_calculator_is_told_of(installed: Path) -> None:
    (installed / "acme_calculators" / "nothing.py").write_text('"""Nothing."""\n')
    program = dedent("""
        from streamjob_api.calculators import catalogue
        catalogue()
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(installed)])}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert "acme_calculators.nothing holds 0 calculators; a module of this package holds one" in done.stderr
