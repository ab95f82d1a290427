"""What building images needs from the machine; Debian packages are installed where that can be done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from images import base, kafka_jars
from images.inputs import Image
from localcluster import prerequisites
from localcluster.problems import MissingPrerequisitesError, Problem
from localcluster.progress import Progress
from localcluster.state import State

SEARCH = "/usr/local/sbin:/usr/sbin:/sbin"  # users' paths often lack the folders of administration programs


def require(image: Image, state: State, environment: Mapping[str, str], progress: Progress) -> None:
    """Install what is missing.

    Raises:
        MissingPrerequisitesError: naming all that could not be installed.
    """
    if missing_programs(image, state, environment) and prerequisites.can_install():
        prerequisites.install(list(missing_programs(image, state, environment)), progress)
    if found := problems(missing_programs(image, state, environment), os.geteuid()):
        raise MissingPrerequisitesError(found)


def needed_programs(image: Image, *, makes_base: bool, fetches_kafka: bool) -> dict[str, str]:
    """Debian package to the program it brings."""
    return (
        {"buildah": "buildah"}
        | ({"debootstrap": "debootstrap"} if makes_base else {})
        | ({"maven": "mvn"} if image.needs_kafka and fetches_kafka else {})
    )


def missing_programs(image: Image, state: State, environment: Mapping[str, str]) -> dict[str, str]:
    needed = needed_programs(
        image, makes_base=base.CHOSEN not in environment, fetches_kafka=not kafka_jars.is_there(state)
    )
    path = os.pathsep.join([environment.get("PATH", os.defpath), SEARCH])
    return {package: program for package, program in needed.items() if not shutil.which(program, path=path)}


def problems(missing: Mapping[str, str], user_id: int) -> list[Problem]:
    """Each missing thing as a sentence with its remedy."""
    packages = " ".join(missing)
    found = [Problem(f"Programs are missing: {', '.join(missing.values())}", f"as root: apt-get install {packages}")]
    root = Problem("Building images needs root", "run the command with sudo")
    return (found if missing else []) + ([] if user_id == 0 else [root])
