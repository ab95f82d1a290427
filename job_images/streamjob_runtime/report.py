"""What a driver says of itself while it runs: ``/progress``, and whether it is ready."""

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from streamjob_api.checkpoint_tools import OffsetRow
from streamjob_api.job_file import JobFile
from streamjob_api.progress import ALL_TOPICS, MAX_PROGRESS_BYTES, DriverState, Progress
from streamjob_runtime.accounts import Accounts
from streamjob_runtime.offsets import Offsets, positions
from streamjob_runtime.waiting import Waits

# A micro-batch that takes longer, with nothing to wait for, is stuck.
STUCK_SECONDS = 600.0
# The main loop turns every second; it hangs when it has not for this long.
_PULSE_SECONDS = 120.0


@dataclass(frozen=True)
class QueryFacts:
    """What Spark said last of the query."""

    batch_id: int = -1
    batch_duration_ms: int = 0
    durations_ms: dict[str, int] = field(default_factory=dict)
    last_batch_at: datetime | None = None
    end_offset: dict[str, Any] = field(default_factory=dict)


class Report:
    """Gathers the parts of a progress report; the main loop writes, the HTTP server reads."""

    def __init__(self, job: JobFile, waits: Waits, accounts: Accounts) -> None:
        self._job = job
        self._waits = waits
        self._accounts = accounts
        self._lock = threading.Lock()
        self.started_at = datetime.now(UTC)
        self.state = DriverState.STARTING
        self.query = QueryFacts()
        self.latest: Offsets = {}
        self.busy_seconds = 0.0
        self.errors = 0
        self.without_executors = ""
        self._pulse = time.monotonic()

    def pulse(self) -> None:
        """The main loop turned."""
        self._pulse = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """Whether the main loop turns; starting Spark may take long on a busy machine."""
        return self.state is DriverState.STARTING or time.monotonic() - self._pulse < _PULSE_SECONDS

    def condition(self) -> tuple[DriverState, str, str]:
        """State, reason and message."""
        wait = self._waits.current()
        if self.state is DriverState.STOPPING:
            return self.state, "Stopping", "finishes the current micro-batch"
        if wait is not None:
            return DriverState.WAITING, wait.reason, wait.message[:512]
        if self.without_executors:
            return self.state, "NoExecutors", self.without_executors
        if self.state is DriverState.RUNNING and self.busy_seconds > STUCK_SECONDS:
            return self.state, "NoProgress", f"the current micro-batch has taken {self.busy_seconds:.0f} s"
        return self.state, "" if self.state is DriverState.RUNNING else str(self.state), ""

    @property
    def is_ready(self) -> bool:
        """Whether it runs, waits for nothing and is not stuck."""
        state, reason, _ = self.condition()
        return state is DriverState.RUNNING and not reason

    def lag(self) -> dict[str, int]:
        """Messages not yet read, by topic; empty while either end is not known."""
        read = positions(self.query.end_offset)
        if not read or not self.latest:
            return {}
        lag: Counter[str] = Counter()
        for place, end in self.latest.items():
            lag[place.topic] += max(0, end - read.get(place, 0))
        return dict(lag)

    def offsets_json(self) -> bytes:
        """``GET /offsets``: a line for each partition that is read, with the lag where the topic's end is known."""
        read, latest = positions(self.query.end_offset), self.latest
        rows = [
            OffsetRow(
                topic=place.topic,
                partition=place.partition,
                position=position,
                latest=latest.get(place),
                lag=None if place not in latest else max(0, latest[place] - position),
            )
            for place, position in sorted(read.items())
            if not latest or place in latest
        ]
        return "".join(f"{row.model_dump_json(exclude_none=True)}\n" for row in rows).encode()

    def progress(self) -> Progress:
        """The whole report."""
        state, reason, message = self.condition()
        lag, newest = self.lag(), self._accounts.max_time_ms
        return Progress(
            state=state,
            reason=reason,
            message=message,
            attempt=self._job.job.attempt,
            epoch=self._job.job.epoch,
            batch_id=self.query.batch_id,
            batch_duration_ms=self.query.batch_duration_ms,
            idle=state is DriverState.RUNNING and bool(lag) and not any(lag.values()) and self.busy_seconds == 0,
            started_at=self.started_at,
            last_batch_at=self.query.last_batch_at,
            observed_at=datetime.now(UTC),
            totals=self._accounts.totals(self.errors),
            malformed_by_reason=self._accounts.by_reason("malformed"),
            refused_by_reason=self._accounts.by_reason("refused"),
            stages_by_reason=self._accounts.by_reason("stage"),
            throughput=self._accounts.throughput.rates(time.time()),
            lag=lag,
            watermark=None if newest is None else datetime.fromtimestamp(newest / 1000, UTC),
            durations_ms=self.query.durations_ms,
        )

    def progress_json(self) -> bytes:
        """``GET /progress``: at most 4 KB; what is long goes first."""
        progress = self.progress()
        cuts: tuple[dict[str, Any], ...] = (
            {},
            {"message": progress.message[:128], "durations_ms": {}},
            {"lag": {ALL_TOPICS: sum(progress.lag.values())} if progress.lag else {}},
            {"malformed_by_reason": {}, "refused_by_reason": {}, "stages_by_reason": {}},
        )
        for cut in cuts:
            progress = progress.model_copy(update=cut)
            text = progress.model_dump_json().encode()
            if len(text) <= MAX_PROGRESS_BYTES:
                break
        return text

    def readiness_json(self) -> bytes:
        """``GET /readyz``."""
        state, reason, message = self.condition()
        return json.dumps({"ready": self.is_ready, "state": state, "reason": reason, "message": message}).encode()
