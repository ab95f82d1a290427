"""The base image: one that the user names, or a Debian made here where no container registry can be reached."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from images.buildah import Buildah
from localcluster.problems import ClusterError
from localcluster.progress import Progress

FOLDER = Path(__file__).parent / "base"
CERTIFICATES = Path("/usr/local/share/ca-certificates")
CHOSEN = "STREAMJOB_BASE_IMAGE"


def reference(environment: Mapping[str, str]) -> str:
    """The base image's name: ``$STREAMJOB_BASE_IMAGE``, or a name that follows from what it is made of."""
    return environment.get(CHOSEN) or f"localhost/streamjob/base:{_fingerprint()}"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    certificates = sorted(CERTIFICATES.rglob("*.crt")) if CERTIFICATES.is_dir() else []
    for path in (FOLDER / "bootstrap", FOLDER / "Dockerfile", *certificates):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def ensure(buildah: Buildah, name: str, environment: Mapping[str, str], scratch: Path, progress: Progress) -> None:
    """Make the base image unless it is there or the user named one, which the build then pulls."""
    if CHOSEN in environment or buildah.exists(name):
        return
    title = "Make the base image: Debian 12 by debootstrap"
    context = scratch / "base-in-the-making"
    shutil.rmtree(context, ignore_errors=True)  # of a build that was killed
    context.mkdir()
    with progress.step(title) as step:
        _bootstrap(context)
        shutil.copy(FOLDER / "Dockerfile", context)
        buildah.build(name, context / "Dockerfile", context, [], step)
    shutil.rmtree(context)


def _bootstrap(context: Path) -> None:
    root = context / "root"
    # in mounts of its own: what debootstrap mounts below the folder goes with it, even when it is killed
    argv = ["unshare", "--mount", str(FOLDER / "bootstrap"), str(root), str(context / "root.tar")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    shutil.rmtree(root, ignore_errors=True)
    if done.returncode != 0:
        raise ClusterError("debootstrap failed:\n" + "\n".join(done.stderr.splitlines()[-10:]))
