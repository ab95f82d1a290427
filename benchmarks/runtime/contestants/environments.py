"""What contestants are made of, kept in the state folder: a Python environment each, Spark's Kafka connector."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from localcluster.state import state_folder

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parents[1] / "programs"


def python_with(requirements: Path) -> Path:
    """The interpreter of an environment that holds what a file of pinned requirements names."""

    def make(folder: Path) -> None:
        _run(["uv", "venv", "--quiet", "--relocatable", "--python", "3.11", str(folder)])
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--compile-bytecode", "-r", str(requirements)]
        _run([*install, "--python", str(folder / "bin" / "python")])

    return _kept(requirements, make) / "bin" / "python"


def jars_of(pom: Path) -> Path:
    """The folder with the jars that a Maven project depends on."""

    def fetch(folder: Path) -> None:
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        _run(["mvn", "-q", "-B", "-f", str(pom), *copy])

    return _kept(pom, fetch)


def version_in(requirements: Path, name: str) -> str:
    """The version that a file of pinned requirements gives a package."""
    return next(
        line.removeprefix(f"{name}==") for line in requirements.read_text().split() if line.startswith(f"{name}==")
    )


def _kept(source: Path, make: Callable[[Path], None]) -> Path:
    """The folder that was made of a file's present content; made if it is not there."""
    content = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    folder = state_folder(os.environ).root / "bench" / f"{source.name.partition('.')[0]}-{content}"
    if not folder.exists():
        half = folder.with_name(f"{folder.name}-half")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        make(half)
        half.rename(folder)
    return folder


def _run(argv: Sequence[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
