"""What an image is made of: the files that go into it, and the tag that follows from them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TAG_DIGITS = 16
SKIPPED = ("__pycache__", ".pyc", ".so", ".jar")  # what is compiled is compiled in the image


@dataclass(frozen=True)
class Image:
    """An image: its build file and the files and folders the build may see, relative to the repository."""

    name: str
    dockerfile: str
    paths: tuple[str, ...]
    target: str | None = None
    context: str = "."
    """The folder that the build file's COPY instructions start from."""
    needs_kafka: bool = False
    """Whether the broker's jars are put into the context as ``libs``."""


LOCKED = (
    *("Dockerfile", "pyproject.toml", "uv.lock", "job_images/layers"),
    *("operator/streamjob_api", "job_images/streamjob_calculators"),
)
KAFKA, REDIS = "tests/images/kafka", "tests/images/redis"
IMAGES = {
    image.name: image
    for image in (
        Image("operator", "Dockerfile", (*LOCKED, "operator/streamjob_operator"), target="operator"),
        Image(
            "runtime",
            "Dockerfile",
            (*LOCKED, "job_images/java", "job_images/native", "job_images/streamjob_runtime"),
            target="runtime",
        ),
        Image("kafka", f"{KAFKA}/Dockerfile", (KAFKA,), context=KAFKA, needs_kafka=True),
        Image("redis", f"{REDIS}/Dockerfile", (REDIS,), context=REDIS),
    )
}
NOT_BUILT_IN = "manifests.yaml"  # lies beside a build file and is applied, not built in


def files(image: Image, repository: Path = REPOSITORY) -> list[Path]:
    """The image's input files, relative to the repository, sorted."""
    found = {path.relative_to(repository) for entry in image.paths for path in _below(repository / entry)}
    return sorted(path for path in found if path.name != NOT_BUILT_IN)


def _below(entry: Path) -> Iterator[Path]:
    candidates = entry.rglob("*") if entry.is_dir() else [entry]
    return (path for path in candidates if path.is_file() and not str(path).endswith(SKIPPED))


def stage(image: Image, folder: Path, repository: Path = REPOSITORY) -> None:
    """Copy the image's inputs to a folder of the same shape."""
    for path in files(image, repository):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(repository / path, folder / path)


def tag(image: Image, base: str, repository: Path = REPOSITORY) -> str:
    """The same for the same inputs on the same base image, on every machine."""
    digest = hashlib.sha256(f"{base}\n{image.target}\n".encode())
    for path in files(image, repository):
        mode = (repository / path).stat().st_mode & 0o111
        content = hashlib.sha256((repository / path).read_bytes()).hexdigest()
        digest.update(f"{path} {mode != 0} {content}\n".encode())
    return digest.hexdigest()[:TAG_DIGITS]
