"""The runtime's library of C: when it is compiled, what of, and what is said where it cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from images.inputs import IMAGES, REPOSITORY, files

BUILD = REPOSITORY / "job_images" / "native" / "build.py"
ONE = '__attribute__((visibility("default"))) int streamjob_one(void) { return 1; }\n'


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One compiler's cache for all: an empty one costs seconds."""
    return tmp_path_factory.mktemp("state")


def sources(folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copy(BUILD, folder)
    (folder / "one.c").write_text(ONE)
    return folder


def compiled(folder: Path, target: Path, state: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"STREAMJOB_STATE": str(state)}
    argv = [sys.executable, str(folder / "build.py"), str(target)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def test_the_same_sources_give_the_same_bytes_in_every_folder(tmp_path: Path, state: Path) -> None:
    here, there = tmp_path / "here.so", tmp_path / "below" / "there.so"
    assert compiled(sources(tmp_path / "a"), here, state).returncode == 0
    assert compiled(sources(tmp_path / "elsewhere" / "b"), there, state).returncode == 0
    assert here.read_bytes() == there.read_bytes()
    assert str(tmp_path).encode() not in here.read_bytes()


def test_what_is_up_to_date_is_left(tmp_path: Path, state: Path) -> None:
    folder, library = sources(tmp_path / "native"), tmp_path / "library.so"
    compiled(folder, library, state)
    before = library.stat()
    assert compiled(folder, library, state).returncode == 0
    assert (library.stat().st_ino, library.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_changed_source_is_compiled_into_a_new_file(tmp_path: Path, state: Path) -> None:
    """The old file is not written to: processes have it mapped."""
    folder, library = sources(tmp_path / "native"), tmp_path / "library.so"
    compiled(folder, library, state)
    mapped = tmp_path / "mapped.so"
    mapped.hardlink_to(library)
    before = mapped.read_bytes()
    (folder / "two.c").write_text(ONE.replace("one", "two"))
    assert compiled(folder, library, state).returncode == 0
    assert b"streamjob_two" in library.read_bytes()
    assert mapped.read_bytes() == before


def test_a_library_that_something_else_compiled_is_replaced(tmp_path: Path, state: Path) -> None:
    folder, library = sources(tmp_path / "native"), tmp_path / "library.so"
    library.write_bytes(b"\x7fELF")
    assert compiled(folder, library, state).returncode == 0
    assert b"streamjob_one" in library.read_bytes()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("int one(void) { return 1 }\n", "one.c:1:25: error: expected ';' after return statement"),
        ("int one(int unused) { return 1; }\n", "one.c:1:13: error: unused parameter 'unused'"),
    ],
)
def test_a_fault_in_a_source_is_said_and_leaves_the_library(
    tmp_path: Path, state: Path, source: str, said: str
) -> None:
    folder, library = sources(tmp_path / "native"), tmp_path / "library.so"
    compiled(folder, library, state)
    before = library.read_bytes()
    (folder / "one.c").write_text(source)
    done = compiled(folder, library, state)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"libstreamjob.so was not built: {said}")
    assert library.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library.so", "native"]


def test_without_sources_there_is_nothing_to_build(tmp_path: Path, state: Path) -> None:
    folder = sources(tmp_path / "native")
    (folder / "one.c").unlink()
    said = compiled(folder, tmp_path / "library.so", state).stderr
    assert said == f"libstreamjob.so was not built: there is no C source in {folder}\n"


def test_the_runtimes_image_is_made_of_the_sources_alone() -> None:
    names = [path.name for path in files(IMAGES["runtime"])]
    assert {"build.py", "one_pass.c", "kafka_messages.c"} <= set(names)
    assert [name for name in names if name.endswith(".so")] == []
