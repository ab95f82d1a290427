"""A driver's life: check, wait for what is needed, run the query, stop when asked; in this order, once."""

import logging
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack
from functools import cached_property

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from streamjob_api.job_file import CONTINUES, JobFile
from streamjob_api.permissions import Permissions
from streamjob_api.progress import DriverState
from streamjob_runtime import checkpoint
from streamjob_runtime.accounts import Accounts
from streamjob_runtime.checkpoint_lock import held_by_driver
from streamjob_runtime.delivery import Delivery
from streamjob_runtime.dependencies import Dependencies
from streamjob_runtime.executor_watch import ExecutorWatch
from streamjob_runtime.failures import fault_of
from streamjob_runtime.http_server import endpoints, serve
from streamjob_runtime.marker import Marker
from streamjob_runtime.query import account_of, facts, start_query, stop_query
from streamjob_runtime.recent_results import RecentResults
from streamjob_runtime.report import Report
from streamjob_runtime.restoring import restore
from streamjob_runtime.spark_session import start_session
from streamjob_runtime.stage_checks import check_stages
from streamjob_runtime.state_layout import StateLayout
from streamjob_runtime.stopping import ask_to_stop, forget_stop
from streamjob_runtime.throughput import Throughput
from streamjob_runtime.waiting import Interrupted, Waits

_log = logging.getLogger(__name__)
_TURN_SECONDS = 1.0
_STOP_TURN_SECONDS = 0.1
# Of the time that a stop may take, what is left for ending Spark after the micro-batch.
_STOP_SHARE = 0.75
# A stop does not wait for brokers that have been away for this long already.
_AWAY_SECONDS = 5.0


class Driver:
    """Runs one attempt of one job."""

    def __init__(self, job: JobFile, stop: threading.Event) -> None:
        self._job = job
        self._stop = stop
        self._waits = Waits()
        self._recent = RecentResults()
        self.accounts = Accounts(Throughput(time.time()))
        self.report = Report(job, self._waits, self.accounts)
        self._dependencies = Dependencies(job, self._waits)
        self._session: SparkSession | None = None
        self._checkpoint = ExitStack()

    def run(self) -> bool:
        """Run until asked to stop; true when the last micro-batch was finished.

        Raises:
            RuntimeFault: what ended the driver.
        """
        serve(self._job.http_port, endpoints(self.report, self._recent))
        if not self._checkpoint.enter_context(held_by_driver(self._job, self._stop.is_set)):
            return True
        Marker.of(self._job).raise_to_own()
        if restore(self._job):
            _log.info("adopted another checkpoint", extra={"restoreFrom": self._job.spec.restore_from})
        checkpoint.claim(self._job, self._layout, continues=os.environ.get(CONTINUES) == "true")
        forget_stop(self._job.scratch_dir)
        try:
            self._session = self._started_session()
            executors = ExecutorWatch.of(self._job, self._session)
            query = self._started_query(self._session, executors)
        except Interrupted:
            return True
        return self._supervise(query, executors)

    @cached_property
    def _layout(self) -> StateLayout:
        """Of the checkpoint that there is by the first call, or is to be made."""
        return checkpoint.layout_of(self._job)

    @cached_property
    def _delivery(self) -> Delivery:
        return Delivery(self._job, self._layout.shards, self._waits, self.accounts, self._recent)

    def _started_session(self) -> SparkSession:
        """Start Spark while stages are checked and dependencies are looked for: each takes seconds."""
        with _stop_aborts(self._stop, self._waits):
            starting = ThreadPoolExecutor(1, "spark").submit(start_session, self._job, self._layout.partitions)
            check_stages(self._job.spec.pipeline, self._job.pipelines or Permissions())
            self._dependencies.await_first()
            session = self._result(starting)
        _log.info("Spark has started", extra={"seconds": round(time.time() - self.report.started_at.timestamp(), 1)})
        return session

    def _started_query(self, session: SparkSession, executors: ExecutorWatch) -> StreamingQuery:
        """Start the query; where Spark has given up meanwhile, its words about that would mislead."""
        try:
            return start_query(session, self._job, self._layout.shards, self._delivery)
        except Exception:
            executors.look()
            raise

    def _result(self, starting: "Future[SparkSession]") -> SparkSession:
        while True:
            try:
                return starting.result(timeout=_STOP_TURN_SECONDS)
            except FutureTimeoutError:
                self._waits.pause(0)

    def _supervise(self, query: StreamingQuery, executors: ExecutorWatch) -> bool:
        """Look after the running query once a second."""
        self.report.state = DriverState.RUNNING
        self._dependencies.look()
        self._dependencies.watch()
        while not self._stop.wait(_TURN_SECONDS):
            self.report.without_executors = executors.look()
            self._observe(query)
            self._waits.refuse_denial()
        return self._stop_query(query)

    def _observe(self, query: StreamingQuery) -> None:
        if not query.isActive:
            raise self._fault(query)
        self.report.pulse()
        self.report.query = facts(query, self.report.query)
        self.accounts.commit(self.report.query.batch_id)
        self.report.latest = self._dependencies.latest
        busy_since = self._delivery.busy_since
        self.report.busy_seconds = time.monotonic() - busy_since if busy_since else 0.0

    def _fault(self, query: StreamingQuery) -> Exception:
        self.report.errors += 1
        error = self._delivery.failure or query.exception() or RuntimeError("the query ended by itself")
        return fault_of(error, account_of(query))

    def _stop_query(self, query: StreamingQuery) -> bool:
        """Let the current micro-batch end, if what it needs is there, and stop."""
        self.report.state = DriverState.STOPPING
        ask_to_stop(self._job.scratch_dir)
        finished = self._finished(query)
        self._dependencies.stop()
        self._waits.abort()
        stopped = stop_query(query)
        _log.info("query stopped", extra={"finished": finished, "stopped": stopped})
        if finished:
            self.report.query = facts(query, self.report.query)
            self.accounts.commit(self.report.query.batch_id)
        return finished

    def _finished(self, query: StreamingQuery) -> bool:
        """Whether the current micro-batch ended in time; the source offers no further one by now."""
        deadline = time.monotonic() + self._job.spec.lifecycle.stop_deadline.seconds * _STOP_SHARE
        while query.isActive:
            if not query.status["isTriggerActive"]:
                return True
            wait = self._waits.current()
            is_away = wait is not None and time.monotonic() - wait.since > _AWAY_SECONDS
            if is_away or time.monotonic() > deadline:
                return False
            time.sleep(_STOP_TURN_SECONDS)
        if Interrupted.__qualname__ in account_of(query):
            return False  # the planner was still waiting for the brokers, to know where to begin
        raise self._fault(query)

    def close(self) -> None:
        """End Spark; the process ends anyway."""
        if self._session is not None:
            ending = threading.Thread(target=self._session.stop, name="stop-session", daemon=True)
            ending.start()
            ending.join(5.0)
        self._checkpoint.close()


class _stop_aborts:  # noqa: N801 (reads as what it does)
    """While it lasts, a wish to stop ends every wait."""

    def __init__(self, stop: threading.Event, waits: Waits) -> None:
        self._stop, self._waits = stop, waits
        self._over = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._look, name="stop-aborts", daemon=True).start()

    def _look(self) -> None:
        while not self._over.wait(_STOP_TURN_SECONDS):
            if self._stop.is_set():
                self._waits.abort()

    def __exit__(self, *_: object) -> None:
        self._over.set()
