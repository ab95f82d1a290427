"""What is true of a job now, said in its status. Pure: it reports, and drives nothing."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from streamjob_api.faults import InvalidSpec
from streamjob_api.progress import DriverState, Progress
from streamjob_api.status import Condition, StreamJobStatus, Throughput
from streamjob_api.support import without_effect
from streamjob_operator import obstacles, reasons
from streamjob_operator.jobs.course import Course, Observed
from streamjob_operator.jobs.executors import counted
from streamjob_operator.observed import Pod
from streamjob_operator.telling.conditions import condition, settled

# A number that moved by less is not worth a write.
MATERIAL_CHANGE = 0.10

_Conditions = Callable[[str, bool | None, str, str], Condition]


def summarise(observed: Observed, course: Course, now: datetime, throughput_interval_seconds: float) -> StreamJobStatus:
    """The status to be written; equal to the present one when nothing changed."""
    present = observed.job.status
    say: _Conditions = partial(_say, generation=observed.job.generation, now=now)
    told = course.memory.model_copy(
        update={
            "observed_generation": observed.job.generation,
            "phase": course.phase,
            "executors": counted(course.driver, observed.executors),
            "conditions": settled(present.conditions, _conditions(observed, course, say)),
        }
    )
    changed = told.model_copy(update={"throughput": None}) != present.model_copy(update={"throughput": None})
    latest = _throughput(observed.progress) if course.driver and observed.progress else None
    if latest and (changed or is_material(present.throughput, latest, throughput_interval_seconds)):
        return told.model_copy(update={"throughput": latest})
    return told.model_copy(update={"throughput": present.throughput if course.driver else None})


def _say(kind: str, holds: bool | None, reason: str, message: str, generation: int, now: datetime) -> Condition:
    return condition(kind, holds, reason, message, generation, now)


def _conditions(observed: Observed, course: Course, say: _Conditions) -> list[Condition]:
    ready, reserved = course.ready, course.reserved
    conditions = [
        say("Ready", ready.holds, ready.reason, ready.message),
        _spec_valid(observed, say),
        say("ResourceReserved", reserved.holds, reserved.reason, reserved.message),
        _driver_ready(course.driver, say),
        _progressing(course.driver, observed.progress, say),
    ]
    if course.working:
        conditions.append(say("Reconciling", True, course.working.reason, course.working.message))
    if course.stuck:
        conditions.append(say("Stalled", True, course.stuck.reason, course.stuck.message))
    if course.undecided:
        conditions.append(say("PauseExpired", True, course.undecided.reason, course.undecided.message))
    spec = observed.job.spec
    idle_fields = [] if isinstance(spec, InvalidSpec) else without_effect(spec)
    if idle_fields:
        conditions.append(say("WarningNoEffect", True, reasons.NO_EFFECT, "; ".join(idle_fields)))
    return conditions


def _spec_valid(observed: Observed, say: _Conditions) -> Condition:
    refusal = observed.refusal
    if refusal is not None:
        return say("SpecValid", False, refusal.reason, refusal.message)
    return say("SpecValid", True, reasons.VALID, "")


def _driver_ready(driver: Pod | None, say: _Conditions) -> Condition:
    if driver is None:
        return say("DriverReady", False, reasons.NO_DRIVER, "no driver pod")
    obstacle = obstacles.obstacle(driver)
    if obstacle:
        return say("DriverReady", False, *obstacle)
    if driver.ready:
        return say("DriverReady", True, reasons.RUNNING, f"pod {driver.name} on node {driver.node}")
    return say("DriverReady", False, reasons.NOT_READY, f"pod {driver.name} is {driver.phase or 'not seen yet'}")


def _progressing(driver: Pod | None, progress: Progress | None, say: _Conditions) -> Condition:
    if driver is None:
        return say("Progressing", False, reasons.NO_DRIVER, "no driver pod")
    if progress is None:
        return say("Progressing", None, reasons.PROGRESS_UNKNOWN, "the driver has not answered yet")
    if progress.state is DriverState.RUNNING and progress.idle:
        return say("Progressing", True, reasons.IDLE, "nothing to read")
    if progress.state is DriverState.RUNNING:
        return say("Progressing", True, reasons.PROGRESSING, "micro-batches advance")
    return say("Progressing", False, progress.reason or progress.state.value, progress.message)


def _throughput(progress: Progress) -> Throughput:
    minute = progress.throughput.get("1m")
    totals = progress.totals
    return Throughput(
        input_records_per_second=round((minute and minute.messages) or 0, 1),
        output_records_per_second=round((minute and minute.out) or 0, 1),
        batch_duration_ms=progress.batch_duration_ms,
        lag_records=sum(progress.lag.values()),
        watermark=progress.watermark,
        total_in=totals.messages,
        total_out=totals.out,
        total_late=totals.late,
        total_filtered=totals.filtered,
        total_outside=totals.outside,
        total_malformed=totals.malformed,
        total_refused=totals.refused,
        observed_at=progress.observed_at.replace(microsecond=0),
    )


def is_material(earlier: Throughput | None, latest: Throughput, interval_seconds: float) -> bool:
    """Whether numbers alone are worth a write: one moved by over 10 %, and the last write was long enough ago."""
    if earlier is None or earlier.observed_at is None or latest.observed_at is None:
        return True
    if (latest.observed_at - earlier.observed_at).total_seconds() < interval_seconds:
        return False
    numbers = [name for name, field in Throughput.model_fields.items() if field.annotation in {int, float}]
    return any(_moved(getattr(earlier, name), getattr(latest, name)) for name in numbers)


def is_notable(
    status: StreamJobStatus, earlier: Progress | None, latest: Progress | None, interval_seconds: float
) -> bool:
    """Whether what a driver said is worth a turn of its job."""
    if latest is None or earlier is None:
        return latest is not earlier
    if _word(earlier) != _word(latest):
        return True
    return is_material(status.throughput, _throughput(latest), interval_seconds)


def _word(progress: Progress) -> tuple[object, ...]:
    return (progress.state, progress.reason, progress.message, progress.idle)


def _moved(earlier: float, latest: float) -> bool:
    return abs(latest - earlier) > MATERIAL_CHANGE * abs(earlier)
