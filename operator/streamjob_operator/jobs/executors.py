"""Executors of a Cluster job, which Spark makes and replaces: counted, and cleared away behind a dead driver. Pure."""

import re
from collections.abc import Iterable, Sequence

from streamjob_api.status import Executors
from streamjob_operator.observed import Pod
from streamjob_operator.obstacles import obstacle

_NO_ACCOUNT = re.compile(r'serviceaccount "[^"]+" not found')


def counted(driver: Pod | None, executors: Iterable[Pod]) -> Executors | None:
    """How many the driver wants and has; None where it wants none."""
    if driver is None or not driver.workers:
        return None
    running = [pod for pod in _of(driver, executors) if pod.phase == "Running" and not pod.terminating]
    return Executors(requested=driver.workers, running=len(running))


def hindered(driver: Pod, executors: Iterable[Pod]) -> str:
    """What keeps one of the driver's executors from starting; empty where nothing is known."""
    found = (obstacle(pod) for pod in sorted(_of(driver, executors), key=lambda pod: pod.name))
    return next((message for _, message in filter(None, found)), "")


def with_remedy(refusal: str) -> str:
    """What the API server said of a driver, with what to do where the account is missing by which it has executors."""
    if not _NO_ACCOUNT.search(refusal):
        return refusal
    return (
        f"{refusal}; a Cluster job's driver manages its executors by it: name this namespace in the chart's "
        "drivers.cluster.namespaces, or apply the manifest of docs/cluster-mode.md"
    )


def orphans(job_uid: str, drivers: Sequence[Pod], executors: Iterable[Pod]) -> tuple[Pod, ...]:
    """Executors of the job whose driver is dead: they end by themselves, but one that hangs would hold its CU.

    A next driver does not wait for them. What an executor may still write is the state of a micro-batch whose offsets
    are in the log, and the next driver's executors write the same. After a reset of offsets they would not: the command
    refuses to edit a checkpoint while an executor of the job has not ended.
    """
    alive = {pod.uid for pod in drivers if not pod.finished}
    return tuple(
        pod
        for pod in executors
        if pod.job_uid == job_uid and pod.owner_uid not in alive and not pod.finished and not pod.terminating
    )


def _of(driver: Pod, executors: Iterable[Pod]) -> list[Pod]:
    return [pod for pod in executors if pod.owner_uid == driver.uid and not pod.finished]
