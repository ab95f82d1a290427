"""The JVM's contestants, built once by Maven and kept in the state folder under a hash of their sources."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from localcluster.state import state_folder

SOURCES = Path(__file__).parents[1] / "jvm"


def class_path(module: str) -> str:
    """What ``java -cp`` needs to run a module."""
    return f"{_built() / module / 'target' / 'libs'}/*"


def version_of(name: str) -> str:
    """A version that the build pins as ``<name.version>``."""
    found = re.search(rf"<{re.escape(name)}\.version>([^<]+)<", (SOURCES / "pom.xml").read_text())
    if not found:
        raise KeyError(f"{name}.version is not a property of the build")
    return found[1]


def _built() -> Path:
    """The folder of the build of the present sources; built if it is not there."""
    folder = state_folder(os.environ).root / "bench" / f"jvm-{_digest()}"
    if not folder.exists():
        half = folder.with_name(f"{folder.name}-half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(SOURCES, half, ignore=shutil.ignore_patterns("target"))
        _package(half)
        half.rename(folder)
    return folder


def _package(folder: Path) -> None:
    argv = ["mvn", "-q", "-B", "-f", str(folder / "pom.xml"), "package"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")


def _digest() -> str:
    """Of names and contents of all sources."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and "target" not in path.relative_to(SOURCES).parts:
            digest.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
