"""Calculators that another package brings, as its users would write one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from unit.calculators.pipelines import Sent, stage

MODULE = '''
"""Doubler: gives twice a value."""

import polars as pl

from streamjob_calculators.kit import PointCalculator, Run


class Doubler(PointCalculator):
    """Gives twice the value."""

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        return self.named(records.with_columns(value=pl.col("value") * 2))
'''


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
    job = {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamJob",
        "metadata": {"name": "doubled", "namespace": "ou"},
        "spec": {
            "template": {"name": "pipeline", "version": "1.0"},
            "pipeline": {"stages": [stage("acme/doubler", name="double", input="M::A", output="M::B")]},
        },
    }
    (installed / "job.json").write_text(json.dumps(job))
    (installed / "input.jsonl").write_bytes(Sent("A", 1, 21).line)
    done = preview(installed, {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(installed)])})
    assert [json.loads(line)["value"] for line in done.stdout.splitlines()] == [42]
    without = preview(installed, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert "stages[0].calculator: there is no calculator 'acme/doubler'" in without.stderr


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
