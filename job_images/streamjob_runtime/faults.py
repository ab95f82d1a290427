"""What ends a driver: each with the exit code and the reason that the operator acts on.

Some are raised in the planner or in a worker process and reach the driver's main process only as text inside of Spark's
exception; ``found_in`` recognises them there.
"""

import re
from typing import ClassVar, Final

from streamjob_api.progress import ExitCode

_MARKED = re.compile(r"\[streamjob (?P<reason>[A-Za-z]+)\] (?P<message>.*?) \[/streamjob\]", re.DOTALL)
# What can be done about messages that are gone.
TO_GO_ON: Final = (
    "to go on without them, pause the job and move its offsets (streamjob offsets reset); Stopped and then Running "
    "drops its state, too"
)


class RuntimeFault(Exception):  # noqa: N818 (a fault ends the driver; not every one is an error of the program)
    """A reason to end, in words for the job's owner; holds no record's content and no secret."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def reason(self) -> str:
        """One word for conditions."""
        return type(self).__name__

    def __str__(self) -> str:
        return f"[streamjob {self.reason}] {self.message} [/streamjob]"


class Fenced(RuntimeFault):
    """A later attempt of the same job has taken over."""

    exit_code = ExitCode.FENCED


class InvalidConfiguration(RuntimeFault):
    """The job file cannot be run, and will not be by trying again."""

    exit_code = ExitCode.INVALID_CONFIGURATION


class RecordFailed(RuntimeFault):
    """A stage of a pipeline met a record that it cannot handle, and is to stop the job for it."""

    exit_code = ExitCode.INVALID_CONFIGURATION


class CheckpointIncompatible(RuntimeFault):
    """The checkpoint was made by a job that calculates something else."""

    exit_code = ExitCode.CHECKPOINT_INCOMPATIBLE


class CheckpointDamaged(RuntimeFault):
    """The checkpoint cannot be read."""

    exit_code = ExitCode.CHECKPOINT_INCOMPATIBLE


class OffsetsLost(RuntimeFault):
    """The topic no longer holds what the checkpoint says is to be read next."""

    exit_code = ExitCode.CHECKPOINT_INCOMPATIBLE


class DependencyUnavailable(RuntimeFault):
    """Something that the job needs stayed away for good, such as rights on a topic."""

    exit_code = ExitCode.DEPENDENCY_UNAVAILABLE


class ExecutorsRefused(RuntimeFault):
    """The API server does not let the driver manage executors."""

    exit_code = ExitCode.DEPENDENCY_UNAVAILABLE


class ExecutorsFailing(RuntimeFault):
    """Executors fail one after the other."""

    exit_code = ExitCode.INTERNAL


FAULTS: tuple[type[RuntimeFault], ...] = (
    Fenced,
    InvalidConfiguration,
    RecordFailed,
    CheckpointIncompatible,
    CheckpointDamaged,
    OffsetsLost,
    DependencyUnavailable,
    ExecutorsRefused,
    ExecutorsFailing,
)


def found_in(text: str) -> RuntimeFault | None:
    """The fault that another process raised, if the text holds one."""
    marked = _MARKED.search(text)
    if marked is None:
        return None
    kind = next((fault for fault in FAULTS if fault.__name__ == marked["reason"]), None)
    return kind(marked["message"]) if kind else None
