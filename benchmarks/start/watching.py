"""One start, looked at ten times a second: the job, its pod, its driver's answers, at last its log."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from benchmarks.operator.access import Access, RefusedError
from benchmarks.start.milestones import PARTS, Start
from streamjob_api import kinds
from streamjob_api.job_file import DRIVER_HTTP_PORT
from streamjob_api.progress import DriverState, Progress

_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 300.0
_SPARK_HAS_STARTED = "Spark has started"


class NotStarted(Exception):  # noqa: N818 (what became of it)
    """A job did not start in time, or not as it should; how far it came."""


async def started(access: Access, job: Mapping[str, Any], messages: int, results: int) -> Start:
    """Apply a job and watch it until it has committed its first micro-batch and says that it is running.

    Raises:
        NotStarted: after five minutes, or where it has read or written something else.
    """
    watch = _Watch(access, job)
    await watch.apply()
    deadline = time.time() + _PATIENCE_SECONDS
    while not watch.is_over(messages):
        if time.time() > deadline:
            raise NotStarted(f"{watch.name} came to {sorted(watch.at, key=watch.at.__getitem__)} in five minutes")
        await watch.look()
        await asyncio.sleep(_LOOK_SECONDS)
    if (out := watch.results()) != results:
        raise NotStarted(f"{watch.name} wrote {out:,} results, {results:,} were to be written")
    await watch.read_log()
    return Start({name: round(moment - watch.applied, 3) for name, moment in watch.at.items()})


class _Watch:
    """What was seen of a start so far, in epoch seconds."""

    def __init__(self, access: Access, job: Mapping[str, Any]) -> None:
        self.at: dict[str, float] = {}
        self.name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        self.applied = 0.0
        self._access, self._job = access, dict(job)
        self._core = f"/api/v1/namespaces/{namespace}/pods"
        self._jobs = f"/apis/{kinds.API_VERSION}/namespaces/{namespace}/{kinds.STREAM_JOBS}"
        self._pod = ""
        self._progress: Progress | None = None

    async def apply(self) -> None:
        self.applied = time.time()
        await self._access.request("POST", self._jobs, self._job)

    def is_over(self, messages: int) -> bool:
        """Whether all milestones but the log's are reached, and everything is read."""
        left = {*PARTS, "running"} - {"spark"} - self.at.keys()
        return not left and self._progress is not None and self._progress.totals.messages >= messages

    def results(self) -> int:
        return self._progress.totals.out if self._progress else 0

    async def look(self) -> None:
        await self._look_at_pod()
        await self._look_at_progress()
        if "running" not in self.at:
            job = await self._access.request("GET", f"{self._jobs}/{self.name}")
            if job.get("status", {}).get("phase") == "Running":
                self._reached("running")

    def _reached(self, milestone: str, moment: float | None = None) -> None:
        self.at.setdefault(milestone, moment or time.time())

    async def _look_at_pod(self) -> None:
        if "container" in self.at:
            return
        selector = f"labelSelector={kinds.JOB_LABEL}%3D{self.name}"
        for pod in (await self._access.request("GET", f"{self._core}?{selector}"))["items"]:
            self._pod = pod["metadata"]["name"]
            self._reached("pod")
            if pod["spec"].get("nodeName"):
                self._reached("scheduled")
            if any("running" in each["state"] for each in pod["status"].get("containerStatuses", ())):
                self._reached("container")

    async def _look_at_progress(self) -> None:
        if "container" not in self.at:
            return
        try:
            path = f"{self._core}/{self._pod}:{DRIVER_HTTP_PORT}/proxy/progress"
            progress = Progress.model_validate(await self._access.request("GET", path))
        except (RefusedError, ValueError):
            return  # nobody listens yet
        self._progress = progress
        self._reached("answers")
        if progress.state is DriverState.RUNNING:
            self._reached("query")
        if progress.batch_id >= 0:
            self._reached("batch", _committed(progress))

    async def read_log(self) -> None:
        """When Spark had started, which the driver's log alone says."""
        async with self._access.session.get(f"{self._access.host}{self._core}/{self._pod}/log") as answer:
            lines = [line for line in (await answer.text()).splitlines() if line.startswith("{")]
        told = [line for line in map(json.loads, lines) if line["message"] == _SPARK_HAS_STARTED]
        if not told or self._progress is None:
            raise NotStarted(f"{self.name}: its log does not say when Spark had started")
        self._reached("spark", (self._progress.started_at + timedelta(seconds=told[0]["seconds"])).timestamp())


def _committed(progress: Progress) -> float | None:
    """When the first micro-batch was committed, which the driver looks at but once a second."""
    begun: datetime | None = progress.last_batch_at
    if progress.batch_id or begun is None:
        return None
    return begun.timestamp() + progress.batch_duration_ms / 1000


async def removed(access: Access, job: Mapping[str, Any]) -> None:
    """Delete a job and wait until its pod is gone.

    Raises:
        NotStarted: it is not after five minutes.
    """
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    path = f"/apis/{kinds.API_VERSION}/namespaces/{namespace}/{kinds.STREAM_JOBS}/{name}"
    await access.request("DELETE", path)
    pods = f"/api/v1/namespaces/{namespace}/pods?labelSelector={kinds.JOB_LABEL}%3D{name}"
    deadline = time.time() + _PATIENCE_SECONDS
    while (await access.request("GET", pods))["items"]:
        if time.time() > deadline:
            raise NotStarted(f"the pod of {name} does not end")
        await asyncio.sleep(_LOOK_SECONDS)
