"""Whether a Cluster job has executors: Spark waits for ever while it has none, and does not say so."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from streamjob_api.job_file import JobFile
from streamjob_runtime.faults import ExecutorsFailing

# Spark replaces a lost executor within half a minute; a pod takes as long to start.
PATIENCE_SECONDS = 60.0


@dataclass
class ExecutorWatch:
    """Counts the executors that are connected.

    Args:
        wanted: how many there are to be; none in Standalone mode.
        connected: asks Spark.
        is_stopped: whether Spark has ended by itself.
        clock: seconds that only go forward.
    """

    wanted: int
    connected: Callable[[], int]
    is_stopped: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    _none_since: float | None = field(default=None)

    @classmethod
    def of(cls, job: JobFile, session: SparkSession) -> "ExecutorWatch":
        """The watch over a session's executors."""
        context = session.sparkContext._jsc.sc()  # PySpark has no other way to ask
        return cls(
            wanted=job.spec.resources.workers or 0,
            connected=lambda: len(context.statusTracker().getExecutorInfos()) - 1,  # the driver is one of them
            is_stopped=context.isStopped,
        )

    def look(self) -> str:
        """What is said of a job that has had no executor for a while; empty while it has one.

        Raises:
            ExecutorsFailing: so many were lost that Spark has given up.
        """
        if not self.wanted:
            return ""
        if self.is_stopped():
            raise ExecutorsFailing(
                "Spark has given up, since executors failed one after the other; the driver's log says how those that "
                "had begun to work ended, and 'kubectl get events' what became of their pods"
            )
        if self.connected() > 0:
            self._none_since = None
            return ""
        self._none_since = self.clock() if self._none_since is None else self._none_since
        missing = self.clock() - self._none_since
        return f"none of {self.wanted} executors has run for {missing:.0f} s" if missing > PATIENCE_SECONDS else ""
