"""What is to be done about a job's driver: the outcome of ``decide``."""

from dataclasses import dataclass, replace

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.progress import Progress
from streamjob_api.status import StreamJobStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_operator.ledger import Waiting
from streamjob_operator.observed import Job, Pod
from streamjob_operator.validation import Refusal, Runnable, Verdict, objection


@dataclass(frozen=True)
class Wanted:
    """A spec that was deployed before, by where it can be read.

    Args:
        revision: name of its ControllerRevision; empty where none was written yet.
        attempt: the attempt whose job file holds it; 0 where none does.
    """

    revision: str
    attempt: int = 0


@dataclass(frozen=True)
class Former:
    """A spec that was deployed before, and whether it can be run in the OU as it is now; None: it cannot be read."""

    wanted: Wanted
    spec: StreamJobSpec | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Observed:
    """All that is known of a job when it is its turn.

    Args:
        pods: pods that carry the job's label, of this job or of a deleted one of the same name.
        granted: CU that the StreamResource's status admits the job with.
        waiting: its place in the queue, if the last pass over the ledger gave it one.
        progress: what the driver said last, if it was asked.
        refused: what the API server said when it refused the objects of the next attempt.
        executors: executor pods that carry the job's label.
        parted: the last pod of the job's name that vanished, as it was seen last.
        former: the spec that a course wanted to know of.
        live: whether pods and granted were read from the API server just now, and not from a cache.
    """

    job: Job
    verdict: Verdict
    pods: tuple[Pod, ...] = ()
    granted: float = 0
    waiting: Waiting | None = None
    progress: Progress | None = None
    refused: str = ""
    executors: tuple[Pod, ...] = ()
    parted: Pod | None = None
    former: Former | None = None
    live: bool = False

    @property
    def refusal(self) -> Refusal | None:
        """Why the job cannot be run. The size of one that is to run is told with its capacity."""
        spec = self.job.spec
        if not isinstance(spec, InvalidSpec) and spec.state in {DesiredState.DRAFT, DesiredState.RELEASED}:
            return objection(self.verdict)
        return self.verdict if isinstance(self.verdict, Refusal) else None


@dataclass(frozen=True)
class Word:
    """A condition's status, reason and message."""

    holds: bool
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Start:
    """A driver to be started."""

    runnable: Runnable
    attempt: int
    epoch: int


@dataclass(frozen=True)
class Course:
    """What to do, what to remember, what to say.

    Args:
        memory: attempt, restarts, driver, deployed and admitted_cu as they are to be written before acting.
        ready, reserved: conditions.
        working: Reconciling, while something is under way.
        stuck: Stalled, while nothing will heal by itself.
        stop: pods to delete, each by its UID.
        start: the driver to start.
        again_in: seconds after which the job is looked at again even if nothing happens.
        concludes_gone: whether the course rests on something not being there, which a cache cannot show.
        undecided: what the user is asked to decide: a pause has reached its limit.
        awaits_ledger: whether the job has no place in the queue yet; the next pass over the ledger gives it one.
        wants: a former spec without which the course may be another one; where it cannot be had, this one is taken.
        stand_in: what runs in place of the present spec, if something does.
        keeps: what runs, to be kept as a ControllerRevision.
    """

    memory: StreamJobStatus
    phase: str
    ready: Word
    reserved: Word
    working: Word | None = None
    stuck: Word | None = None
    stop: tuple[Pod, ...] = ()
    start: Start | None = None
    driver: Pod | None = None
    again_in: float | None = None
    concludes_gone: bool = False
    undecided: Word | None = None
    awaits_ledger: bool = False
    wants: Wanted | None = None
    stand_in: Runnable | None = None
    keeps: Runnable | None = None

    def sooner(self, seconds: float | None) -> "Course":
        """The same course, looked at again after at most this time."""
        if seconds is None or (self.again_in is not None and self.again_in <= seconds):
            return self
        return replace(self, again_in=seconds)


# Phases: words for people; no program branches on them.
QUEUED, STARTING, RUNNING, DEGRADED, UPGRADING = "Queued", "Starting", "Running", "Degraded", "Upgrading"
DRAFT, RELEASED = "Draft", "Released"
PAUSING, PAUSED, PAUSE_EXPIRED = "Pausing", "Paused", "PauseExpired"
STOPPING, STOPPED, FAILED = "Stopping", "Stopped", "Failed"
