"""The Kafka broker's jars, fetched once by Maven from ``kafka/pom.xml`` and kept in the state folder."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.state import State

POM = Path(__file__).parent / "kafka" / "pom.xml"


def is_there(state: State) -> bool:
    folder = _folder(state)
    return (folder / "pom.xml").exists() and (folder / "pom.xml").read_bytes() == POM.read_bytes()


def ensure(state: State, progress: Progress) -> Path:
    """The folder with the jars, fetched again when the pom changed."""
    _folder(state).mkdir(parents=True, exist_ok=True)
    with (_folder(state) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_there(state):
            with progress.step("Fetch the Kafka broker's jars"):
                _fetch(_folder(state))
    return _folder(state) / "libs"


def _folder(state: State) -> Path:
    return state.root / "kafka"


def _fetch(folder: Path) -> None:
    fetched = folder / "fetched"
    shutil.rmtree(fetched, ignore_errors=True)
    copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
    done = subprocess.run(["mvn", "-q", "-B", "-f", POM, *copy], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"Maven cannot fetch Kafka's jars:\n{done.stdout[-2000:]}")
    shutil.rmtree(folder / "libs", ignore_errors=True)
    fetched.rename(folder / "libs")
    shutil.copy(POM, folder / "pom.xml")
