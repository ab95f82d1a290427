"""Building what changed and handing it to the cluster.

An image's tag is a hash of what it is made of: a pod that names it gets what the working tree held, and what is
already there is neither built nor pushed again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from images import base, kafka_jars
from images.buildah import UV_CACHE, Buildah, buildah, uv_cache
from images.inputs import IMAGES, REPOSITORY, Image, stage, tag
from images.prerequisites import require
from localcluster import registry
from localcluster.processes import ProcessTable
from localcluster.progress import Progress
from localcluster.state import State, exclusive, state_folder

PREFIX = "STREAMJOB_IMAGE_PREFIX"
INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")
LOCAL_PREFIX = f"{registry.ADDRESS}/streamjob"


def references(names: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What pods call the images that the working tree makes: ``{"runtime": "localhost:5001/streamjob/runtime:1a2b"}``.

    ``$STREAMJOB_IMAGE_PREFIX`` stands for the part before ``/runtime``.
    """
    return {name: _reference(IMAGES[name], REPOSITORY, environment) for name in names or IMAGES}


def build(
    names: Sequence[str] = (), progress: Progress | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Build and push what the registry does not hold yet; returns the references.

    Raises:
        ClusterError: saying what is missing or which step failed.
    """
    progress = progress or Progress()
    state = state_folder(environment)
    if PREFIX not in environment:
        _ensure_registry(state, progress)
    return {name: _pushed(IMAGES[name], state, progress, environment) for name in names or IMAGES}


def archive(
    folder: Path,
    names: Sequence[str] = (),
    progress: Progress | None = None,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Path]:
    """Build images and write one archive each, for clusters that load them (``kind load image-archive``)."""
    progress = progress or Progress()
    state = state_folder(environment)
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _archived(IMAGES[name], folder, state, progress, environment) for name in names or IMAGES}


def _pushed(image: Image, state: State, progress: Progress, environment: Mapping[str, str]) -> str:
    with _snapshot(image) as inputs:
        reference = _reference(image, inputs, environment)
        if PREFIX not in environment and _is_held(reference):
            progress.say(f"Image {image.name} is up to date ({reference})")
            return reference
        with _builder(state) as builder:
            name = _built(builder, image, inputs, state, progress, environment)
            with progress.step(f"Push {reference}") as step:
                builder.push(name, reference, step)
    return reference


def _archived(image: Image, folder: Path, state: State, progress: Progress, environment: Mapping[str, str]) -> Path:
    with _snapshot(image) as inputs:
        reference = _reference(image, inputs, environment)
        path = folder / f"{image.name}-{reference.rpartition(':')[2]}.tar"
        if path.exists():
            return path
        partial = path.with_suffix(".part")
        with _builder(state) as builder:
            name = _built(builder, image, inputs, state, progress, environment)
            with progress.step(f"Write {path}") as step:
                builder.archive(name, reference, partial, step)
    partial.rename(path)
    return path


def _reference(image: Image, inputs: Path, environment: Mapping[str, str]) -> str:
    prefix = environment.get(PREFIX, LOCAL_PREFIX).rstrip("/")
    return f"{prefix}/{image.name}:{tag(image, base.reference(environment), inputs)}"


def _built(
    builder: Buildah, image: Image, inputs: Path, state: State, progress: Progress, environment: Mapping[str, str]
) -> str:
    """Build one image into buildah's storage unless it is there; returns its name there."""
    require(image, state, environment, progress)
    builder.forget_unfinished()
    base_image = base.reference(environment)
    name = f"localhost/streamjob/{image.name}:{tag(image, base_image, inputs)}"
    if builder.exists(name):
        return name
    base.ensure(builder, base_image, environment, state.images, progress)
    if image.needs_kafka:
        shutil.copytree(kafka_jars.ensure(state, progress), inputs / image.context / "libs")
    options = _options(image, base_image, environment, state)
    with progress.step(f"Build image {image.name}") as step:
        builder.build(name, inputs / image.dockerfile, inputs / image.context, options, step)
    _forget_former(builder, image.name)
    return name


def _options(image: Image, base_image: str, environment: Mapping[str, str], state: State) -> list[str]:
    """Which base, which target, and where wheels come from: this machine's cache and its package indexes."""
    indexes = {key: environment[key] for key in INDEXES if key in environment and image.target}
    arguments = [f"--build-arg={key}={value}" for key, value in ({"BASE_IMAGE": base_image} | indexes).items()]
    target = [f"--target={image.target}"] if image.target else []
    return [*arguments, *target, f"--volume={uv_cache(environment, state)}:{UV_CACHE}"]


@contextmanager
def _snapshot(image: Image) -> Iterator[Path]:
    """A copy of the image's inputs: an edit during the build does not get in under the tag of what was before."""
    with tempfile.TemporaryDirectory(prefix=f"streamjob-{image.name}-") as folder:
        stage(image, Path(folder))
        yield Path(folder)


def _forget_former(builder: Buildah, name: str, keep: int = 3) -> None:
    """Keep the newest images of a name; the registry holds the others as long as it lives."""
    former = [known for known in builder.names() if known.startswith(f"localhost/streamjob/{name}:")]
    builder.remove(former[keep:])


def _is_held(reference: str) -> bool:
    repository, _, digits = reference.removeprefix(f"{registry.ADDRESS}/").rpartition(":")
    return registry.holds(repository, digits)


def _ensure_registry(state: State, progress: Progress) -> None:
    if not registry.answers():
        with exclusive(state):
            registry.start(state, ProcessTable(state.pids, state.logs), progress)


@contextmanager
def _builder(state: State) -> Iterator[Buildah]:
    """buildah, for one process at a time: two would build the same layers twice."""
    state.images.mkdir(parents=True, exist_ok=True)
    with (state.images / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield buildah(state)
