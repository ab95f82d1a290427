"""``python -m prepare``: bring up what tests run on, and say so: pytest is silent while a fixture works."""

import sys

from images.delivery import deliver
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.providers import choose


def main() -> int:
    """Start or find the cluster, build what changed of the images and hand them over."""
    progress = Progress()
    try:
        with choose() as cluster:
            deliver(cluster, progress=progress)
    except ClusterError as error:
        progress.console.print(str(error), highlight=False, markup=False)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
