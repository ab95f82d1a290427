"""What an image's tag follows from."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from images.inputs import IMAGES, REPOSITORY, Image, files, stage, tag

IMAGE = Image("driver", "Dockerfile", ("Dockerfile", "code"), target="runtime")
BASE = "debian:bookworm-slim"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "code" / "inner").mkdir(parents=True)
    (tmp_path / "Dockerfile").write_text("FROM x")
    (tmp_path / "code" / "main.py").write_text("print(1)")
    (tmp_path / "code" / "inner" / "part.py").write_text("print(2)")
    (tmp_path / "README.md").write_text("not an input")
    return tmp_path


def rewrite(repository: Path) -> None:
    (repository / "code" / "main.py").write_text("print(2)")


def add(repository: Path) -> None:
    (repository / "code" / "new.py").touch()


def rename(repository: Path) -> None:
    (repository / "code" / "main.py").rename(repository / "code" / "other.py")


def make_executable(repository: Path) -> None:
    (repository / "code" / "main.py").chmod(0o755)


@pytest.mark.parametrize("edit", [rewrite, add, rename, make_executable])
def test_a_changed_input_changes_the_tag(repository: Path, edit: Callable[[Path], None]) -> None:
    before = tag(IMAGE, BASE, repository)
    edit(repository)
    assert tag(IMAGE, BASE, repository) != before


def test_another_base_image_changes_the_tag(repository: Path) -> None:
    assert tag(IMAGE, BASE, repository) != tag(IMAGE, "debian:trixie-slim", repository)


def test_what_is_no_input_leaves_the_tag(repository: Path) -> None:
    before = tag(IMAGE, BASE, repository)
    (repository / "README.md").write_text("rewritten")
    (repository / "code" / "__pycache__").mkdir()
    (repository / "code" / "__pycache__" / "main.cpython-311.pyc").touch()
    (repository / "code" / "manifests.yaml").touch()
    assert tag(IMAGE, BASE, repository) == before


def test_the_tag_of_a_snapshot_is_that_of_the_tree(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    snapshot = tmp_path_factory.mktemp("snapshot")
    stage(IMAGE, snapshot, repository)
    assert tag(IMAGE, BASE, snapshot) == tag(IMAGE, BASE, repository)


def test_the_same_tree_elsewhere_has_the_same_tag(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "clone"
    shutil.copytree(repository, elsewhere)
    assert tag(IMAGE, BASE, elsewhere) == tag(IMAGE, BASE, repository)


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_every_copied_file_is_an_input(image: Image, tmp_path: Path) -> None:
    """A COPY of something that the snapshot lacks would fail only in the build."""
    stage(image, tmp_path)
    lines = (REPOSITORY / image.dockerfile).read_text().splitlines()
    copied = [
        source
        for line in lines
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
        if source != "libs"  # the broker's jars, put there by the build
    ]
    others = {
        "operator": ("job_images/java", "job_images/native", "job_images/streamjob_runtime"),
        "runtime": ("operator/streamjob_operator",),
    }.get(image.name, ())
    wanted = (name for name in copied if not name.startswith(others))
    missing = [name for name in wanted if not (tmp_path / image.context / name).exists()]
    assert missing == []


def test_the_operator_is_not_built_again_for_the_runtimes_code() -> None:
    paths = map(str, files(IMAGES["operator"]))
    assert not [path for path in paths if path.startswith(("job_images/native", "job_images/streamjob_runtime"))]
