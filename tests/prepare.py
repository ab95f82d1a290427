"""``python -m prepare``: bring up what tests run on, and say so: pytest is silent while a fixture works."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from images.delivery import deliver
from localcluster import prerequisites
from localcluster.problems import ClusterError, MissingPrerequisitesError, Problem
from localcluster.progress import Progress
from localcluster.providers import choose
from localcluster.providers.choice import Provider, provider_of
from localcluster.providers.kind import docker_answers
from localcluster.state import state_folder

# Debian package: the program it brings.
FOR_IMAGES = {"buildah": "buildah", "debootstrap": "debootstrap", "maven": "mvn"}
JAVA_CLASSES = Path(__file__).parents[1] / "job_images" / "java" / "build.py"
FOR_TESTS = FOR_IMAGES | {"redis-server": "redis-server", "openjdk-17-jre-headless": "java"}


def ensure_programs(programs: Mapping[str, str], progress: Progress) -> None:
    """Install what is missing of these programs and, where the local cluster is used, of what that needs.

    Raises:
        MissingPrerequisitesError: naming, all at once, what could not be installed.
    """
    state = state_folder(os.environ)
    is_local = provider_of(os.environ, state, docker_answers) is Provider.LOCAL
    wanted = [*missing(programs), *(prerequisites.missing_packages() if is_local else [])]
    if wanted and prerequisites.can_install():
        prerequisites.install(list(dict.fromkeys(wanted)), progress)
    lacking = missing(programs)
    found = [
        Problem(f"Programs are missing: {', '.join(lacking.values())}", f"as root: apt-get install {' '.join(lacking)}")
    ]
    rest = prerequisites.problems(prerequisites.gather(state, is_cold=False)) if is_local else []
    if lacking or rest:
        raise MissingPrerequisitesError([*(found if lacking else []), *rest])


def missing(programs: Mapping[str, str]) -> dict[str, str]:
    """Those of the programs that are not on this machine."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return {package: program for package, program in programs.items() if not shutil.which(program, path=path)}


def main() -> int:
    """Start or find the cluster, build what changed of the images and hand them over."""
    progress = Progress()
    try:
        ensure_programs(FOR_TESTS, progress)
        subprocess.run([sys.executable, JAVA_CLASSES], check=True)  # setup could not, if Java was missing
        with choose() as cluster:
            deliver(cluster, progress=progress)
    except ClusterError as error:
        progress.console.print(str(error), highlight=False, markup=False)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
