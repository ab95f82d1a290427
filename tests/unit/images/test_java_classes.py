"""The runtime's classes of Java: when they are compiled, what of, and what is said where they cannot be."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from images.inputs import IMAGES, REPOSITORY, files

BUILD = REPOSITORY / "job_images" / "java" / "build.py"
ONE = "package streamjob; public class One { public int one() { return 1; } }\n"


def sources(folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copy(BUILD, folder)
    (folder / "One.java").write_text(ONE)
    return folder


def compiled(folder: Path, target: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(folder / "build.py"), str(target)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def java() -> None:
    if shutil.which("java") is None:
        pytest.skip("there is no Java on this machine")


def test_the_same_sources_give_the_same_bytes_and_times_in_every_folder(tmp_path: Path) -> None:
    here, there = tmp_path / "here.jar", tmp_path / "below" / "there.jar"
    assert compiled(sources(tmp_path / "a"), here).returncode == 0
    assert compiled(sources(tmp_path / "elsewhere" / "b"), there).returncode == 0
    assert here.read_bytes() == there.read_bytes()
    assert here.stat().st_mtime == there.stat().st_mtime
    assert ZipFile(here).namelist() == ["streamjob/One.class"]


def test_what_is_up_to_date_is_left_and_a_changed_source_is_compiled_into_a_new_file(tmp_path: Path) -> None:
    """The old file is not written to: a JVM has it mapped."""
    folder, jar = sources(tmp_path / "java"), tmp_path / "own.jar"
    compiled(folder, jar)
    before = jar.stat().st_ino
    assert compiled(folder, jar).returncode == 0
    assert jar.stat().st_ino == before
    (folder / "Two.java").write_text(ONE.replace("One", "Two"))
    mapped = tmp_path / "mapped.jar"
    mapped.hardlink_to(jar)
    assert compiled(folder, jar).returncode == 0
    assert ZipFile(jar).namelist() == ["streamjob/One.class", "streamjob/Two.class"]
    assert ZipFile(mapped).namelist() == ["streamjob/One.class"]


def test_a_fault_in_a_source_is_said_and_leaves_the_jar(tmp_path: Path) -> None:
    folder, jar = sources(tmp_path / "java"), tmp_path / "own.jar"
    compiled(folder, jar)
    before = jar.read_bytes()
    (folder / "One.java").write_text(ONE.replace("1;", "x;"))
    done = compiled(folder, jar)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("streamjob.jar was not built: File 'One.java', Line 1, Column 65")
    assert jar.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["java", "own.jar"]


def test_without_sources_there_is_nothing_to_build(tmp_path: Path) -> None:
    folder = sources(tmp_path / "java")
    (folder / "One.java").unlink()
    said = compiled(folder, tmp_path / "own.jar").stderr
    assert said == f"streamjob.jar was not built: there is no Java source in {folder}\n"


def test_the_runtimes_image_is_made_of_the_sources_alone() -> None:
    names = [path.name for path in files(IMAGES["runtime"])]
    assert {"build.py", "InProcessLocalFileSystem.java"} <= set(names)
    assert [name for name in names if name.endswith(".jar")] == []
