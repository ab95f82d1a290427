"""From the exception that ended a query to a fault with reason and exit code, without any record's content."""

import re

from streamjob_runtime.faults import (
    CheckpointDamaged,
    CheckpointIncompatible,
    ExecutorsFailing,
    ExecutorsRefused,
    RuntimeFault,
    found_in,
)

# What Spark says when files of a checkpoint are missing, cut off or altered.
_DAMAGE = re.compile(
    r"CANNOT_LOAD_STATE_STORE|CHECKPOINT_FILE_CHECKSUM|STATE_STORE_(?!COMMIT)|INVALID_LOG_VERSION|MISSING_METADATA"
    r"|ROCKSDB|RocksDBException|UnexpectedFileSize|Incomplete log file|Malformed log file|offset log"
    r"|FileNotFoundException[^\n]*/(?:state|offsets|commits)/|EOFException|StreamingQueryCheckpoint"
)
# What the API server says to a driver whose service account may not do what executors need.
_FORBIDDEN = re.compile(r"is forbidden: (User \S+ cannot \w+ resource \S+ in API group \S* in the namespace \S+)")
_FORBIDDEN_SHORT = re.compile(r"KubernetesClientException[^\n]*\b(?:Forbidden|Unauthorized)\b")
# A task that failed since its executors did, as often as Spark tries.
_EXECUTOR_LOST = re.compile(r"ExecutorLostFailure|Job \S+ cancelled because SparkContext was shut down")
_ERROR_CLASS = re.compile(r"\[([A-Z][A-Z0-9_.]{3,})\]")
_PYTHON_ERROR = re.compile(r"^(?:[a-zA-Z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Block)\b", re.MULTILINE)
_JVM_CAUSE = re.compile(r"^Caused by: ((?:java|org\.apache)\.[^\n]+)", re.MULTILINE)
_PYTHON_PLACE = re.compile(r'File "[^"]*/(streamjob_runtime/[\w/]+\.py)", line (\d+)')


def fault_of(error: BaseException, spark_text: str = "") -> RuntimeFault:
    """The fault behind an exception of the driver.

    Args:
        error: what was raised in the driver's main process.
        spark_text: Spark's account of it, which holds the traceback of a worker or of the planner.
    """
    if isinstance(error, RuntimeFault):
        return error
    text = f"{error}\n{spark_text}"
    if fault := found_in(text):
        return fault
    if "IncompatibleBlock" in text:
        return CheckpointIncompatible("the state was written by another version of the runtime; run that one again")
    if damage := _DAMAGE.search(text):
        return CheckpointDamaged(f"Spark cannot read the checkpoint ({damage[0][:200]}); {_summary(error, text)}")
    return _of_executors(text) or Internal(_summary(error, text))


def _of_executors(text: str) -> RuntimeFault | None:
    """What keeps a Cluster job's driver from having executors."""
    forbidden = _FORBIDDEN.search(text)
    if forbidden or _FORBIDDEN_SHORT.search(text):
        said = f" ({forbidden[1]})" if forbidden else ""
        return ExecutorsRefused(
            f"the API server does not let the driver manage executors{said}; the driver's service account needs the "
            "rights on pods that docs/cluster-mode.md names"
        )
    if _EXECUTOR_LOST.search(text):
        return ExecutorsFailing(
            "executors were lost so often that a micro-batch was given up; see their ends in the log"
        )
    return None


class Internal(RuntimeFault):
    """Something that nobody foresaw; a restart may help."""


def _summary(error: BaseException, text: str) -> str:
    """Classes and places; messages only of the JVM: those of Python's libraries may quote what they were given."""
    words = (
        [] if "Traceback (most recent call last)" in text else [line[:300] for line in _JVM_CAUSE.findall(text)[-1:]]
    )
    found = [
        *words,
        type(error).__name__,
        *dict.fromkeys(_ERROR_CLASS.findall(text)),
        *dict.fromkeys(_PYTHON_ERROR.findall(text)),
        *(f"{file}:{line}" for file, line in _PYTHON_PLACE.findall(text)[-1:]),
    ]
    return ", ".join(found[:8])
