"""One table from what Kubernetes and the runtime say of a driver to the reason that users read.

Reasons are constants, each with when it arises; they are part of the API: users and alerts match on them.
"""

from dataclasses import dataclass
from enum import Enum

from pydantic import ValidationError

from streamjob_api.progress import ExitCode, LastWords
from streamjob_operator.observed import Pod

# Of the spec and what it needs.
VALID = "Valid"  # the spec can be run
INVALID_SPEC = "InvalidSpec"  # the model refuses the spec
RESOURCE_MISSING = "ResourceMissing"  # the namespace has no StreamResource
RESOURCE_INVALID = "ResourceInvalid"  # the namespace's StreamResource is refused by the model
TEMPLATE_NOT_INSTALLED = "TemplateNotInstalled"  # the StreamResource does not install the template at this version
TEMPLATE_UNKNOWN = "TemplateUnknown"  # the operator's catalogue has no image for it
NOT_SUPPORTED = "NotSupported"  # this version does not carry out yet what the spec asks for
OUTPUT_TAKEN = "OutputTaken"  # an older job of the OU writes the same output
LINEAGE_LOOP = "LineageLoop"  # the job closes a loop with older jobs of the OU
UNKNOWN_NAME = "UnknownName"  # the thing models have no such model, point or attribute
TYPE_MISMATCH = "TypeMismatch"  # a point or attribute is of another type than is needed
REDIS_MISSING = "RedisMissing"  # the job binds attributes of assets, but the StreamResource names no Redis
NOT_ALLOWED = "NotAllowed"  # a pipeline does what the StreamResource does not allow
STORAGE_NOT_SHARED = "StorageNotShared"  # a Cluster job, but the StreamResource names no claim that all pods share
MODELS_MISSING = "ModelsMissing"  # the ConfigMap with the thing models is not there or cannot be read
MODELS_INVALID = "ModelsInvalid"  # the ConfigMap with the thing models has faults
NO_EFFECT = "NoEffect"  # a field is right, but this version does nothing with it yet
WAITING_FOR_RESOURCE = "WaitingForResource"  # what is missing may still be applied
# Of a StreamResource.
DUPLICATE_RESOURCE = "DuplicateResource"  # the namespace has an older StreamResource
ORG_ID_TAKEN = "OrgIdTaken"  # an older StreamResource of another namespace names this orgId
LIBRARY_UNKNOWN = "LibraryUnknown"  # the operator's catalogue has no such library at this version
TOPIC_CLASH = "TopicClash"  # a topic would serve two uses
LIBRARY_SLOTS_EXCEEDED = "LibrarySlotsExceeded"  # more libraries than the design CU have slots for
CAPACITY_EXCEEDED = "CapacityExceeded"  # capacity shrank below what runs
REACHABLE = "Reachable"  # of KafkaReachable and RedisReachable: it answers
CHECKING = "Checking"  # the check of the connections has not answered yet
CHECK_FAILED = "CheckFailed"  # the check of the connections ended without an answer
SECRET_MISSING = "SecretMissing"  # noqa: S105 (a word) - a Secret that the StreamResource names is not there or empty
IN_FORCE = "InForce"  # this StreamResource is the one of its namespace
# Of capacity.
ADMITTED = "Admitted"  # the job holds its CU
QUEUED = "Queued"  # the job waits for CU
CAPACITY_NEVER_SUFFICES = "CapacityNeverSuffices"  # the job asks for more than the OU has
RELEASED = "Released"  # the job holds no CU, as asked; of Ready: it is checked and its outputs are reserved
DRAFT = "Draft"  # the job is checked and holds nothing, as asked
# Of the course of things.
RUNNING = "Running"  # the driver is ready
IDLE = "Idle"  # nothing to read
PROGRESSING = "Progressing"  # micro-batches advance
STARTING = "DriverStarting"  # the driver is on its way
UPGRADING = "Upgrading"  # the driver is replaced, since its spec changed
STATE_BREAKING_CHANGE = "StateBreakingChange"  # the edit breaks the state that the job has; the former spec runs on
ROLLED_BACK = "RolledBack"  # the changed spec did not become healthy; the last stable one runs in its place
INPUTS_CHANGED = "InputsChanged"  # the driver is replaced: another job writes an input now, or none any more
PAUSING, PAUSED = "Pausing", "Paused"  # as asked
PAUSE_EXPIRED = "PauseExpired"  # the job is paused for longer than lifecycle.pauseLimit; the user is to decide
STOPPING, STOPPED = "Stopping", "Stopped"  # as asked
BACK_OFF = "BackOff"  # the next driver starts later
NO_DRIVER = "NoDriver"  # there is no driver pod
PREDECESSOR_STOPPING = "PredecessorStopping"  # a driver of a deleted job of the same name still lives
PROGRESS_UNKNOWN = "ProgressUnknown"  # the driver was not asked yet or did not answer
NOT_READY = "DriverNotReady"  # the driver fails its readiness probe and gives no reason
# Of failures.
IMAGE_PULL_FAILED = "ImagePullFailed"  # the runtime image cannot be pulled
CONTAINER_CONFIG = "ContainerConfigError"  # the container cannot be made: a missing Secret key, a bad security context
VOLUME_UNAVAILABLE = "VolumeUnavailable"  # a volume of the driver pod cannot be attached or mounted
DRIVER_REFUSED = "DriverRefused"  # the API server refuses the driver's objects: a quota, a security standard
UNSCHEDULABLE = "Unschedulable"  # no node takes the pod
OOM_KILLED = "OOMKilled"  # the container went over its memory limit
DRIVER_EVICTED = "DriverEvicted"  # drained, preempted, or the node ran out of something
NODE_LOST = "NodeLost"  # the pod's node does not answer
START_TIMEOUT = "StartTimeout"  # not ready within lifecycle.startDeadline
DRIVER_LOST = "DriverLost"  # the pod was deleted by someone else
DRIVER_EXITED = "DriverExited"  # ended without being asked
FENCED = "Fenced"  # a higher attempt holds the checkpoint
INVALID_CONFIGURATION = "InvalidConfiguration"  # the runtime refuses its configuration
CHECKPOINT_INCOMPATIBLE = "CheckpointIncompatible"  # the checkpoint is of another job or damaged
DEPENDENCY_UNAVAILABLE = "DependencyUnavailable"  # the runtime gave up waiting for Kafka, Redis or storage
INTERNAL_ERROR = "InternalError"  # the runtime failed
RESTARTS_EXHAUSTED = "RestartsExhausted"  # restart.maxFailures is reached


class Fault(Enum):
    """Whose fault an end was; it decides about the restart."""

    JOB = "the job's own: counted against restart.maxFailures"
    INFRASTRUCTURE = "not the job's: retried for ever"
    PERMANENT = "will not heal by itself: not retried until the spec changes"


@dataclass(frozen=True)
class Ending:
    """How a driver ended."""

    reason: str
    message: str
    fault: Fault
    exit_code: int | None = None


_BY_EXIT_CODE: dict[int, tuple[str, Fault]] = {
    ExitCode.STOPPED: (DRIVER_EXITED, Fault.JOB),
    ExitCode.FENCED: (FENCED, Fault.INFRASTRUCTURE),
    ExitCode.INVALID_CONFIGURATION: (INVALID_CONFIGURATION, Fault.PERMANENT),
    ExitCode.CHECKPOINT_INCOMPATIBLE: (CHECKPOINT_INCOMPATIBLE, Fault.PERMANENT),
    ExitCode.DEPENDENCY_UNAVAILABLE: (DEPENDENCY_UNAVAILABLE, Fault.INFRASTRUCTURE),
    ExitCode.INTERNAL: (INTERNAL_ERROR, Fault.JOB),
}
PERMANENT = frozenset({INVALID_CONFIGURATION, CHECKPOINT_INCOMPATIBLE})
# The kubelet calls every end OOMKilled once a process of the container (a Python worker) was killed for memory, however
# long before; these codes tell of something else.
_SAID_BY_CODE = frozenset(set(ExitCode) - {ExitCode.INTERNAL})
# How the runtime of containers calls a program that cannot be started.
_NEVER_STARTED = {"StartError", "ContainerCannotRun"}
# https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
_NODE_IS_GONE = "DeletionByPodGC"
_MAX_MESSAGE = 1024


def ending(pod: Pod) -> Ending | None:
    """How this driver ended, or None while it lives. The pod's phase comes first, then its container."""
    if pod.disruption == _NODE_IS_GONE:
        return Ending(NODE_LOST, f"node {pod.node} of pod {pod.name} is gone", Fault.INFRASTRUCTURE)
    if pod.phase == "Failed" and (pod.reason == "Evicted" or pod.disruption):
        return Ending(DRIVER_EVICTED, pod.message or f"evicted: {pod.disruption}", Fault.INFRASTRUCTURE)
    if pod.finished and pod.container.state == "terminated":
        return _of_container(pod)
    if pod.finished:
        return Ending(pod.reason or DRIVER_LOST, pod.message or "ended and left no word", Fault.INFRASTRUCTURE)
    if pod.terminating:
        return _of_deletion(pod)
    return None


def lost(pod_name: str) -> Ending:
    """The ending of a driver whose pod is gone, without a word."""
    return Ending(DRIVER_LOST, f"pod {pod_name} was deleted by someone else", Fault.INFRASTRUCTURE)


def _of_deletion(pod: Pod) -> Ending:
    if pod.node_is_silent:
        return Ending(NODE_LOST, f"node {pod.node} of pod {pod.name} does not answer", Fault.INFRASTRUCTURE)
    if pod.disruption:
        return Ending(DRIVER_EVICTED, f"pod {pod.name} is evicted: {pod.disruption}", Fault.INFRASTRUCTURE)
    return lost(pod.name)


def _of_container(pod: Pod) -> Ending:
    container = pod.container
    code, words = container.exit_code, last_words(container.message)
    said = words.message if words else container.message
    if container.reason == "OOMKilled" and code not in _SAID_BY_CODE:
        last = f"; it said last: {said}" if said else ""
        message = f"pod {pod.name} went over its memory limit; raise spec.resources.cu{last}"
        return Ending(OOM_KILLED, message[:_MAX_MESSAGE], Fault.JOB, code)
    if container.reason in _NEVER_STARTED:
        return Ending(CONTAINER_CONFIG, f"pod {pod.name}: {said}"[:_MAX_MESSAGE], Fault.JOB, code)
    reason, fault = _BY_EXIT_CODE.get(code or 0, (INTERNAL_ERROR, Fault.JOB))
    if code in {None, *ExitCode}:
        message = said or f"{pod.name} ended with exit code {code}"
    else:
        message = f"{pod.name} ended with exit code {code}" + (f": {said}" if said else "")
    return Ending(reason, message[:_MAX_MESSAGE], fault, code)


def last_words(text: str) -> LastWords | None:
    """The driver's termination message, if it is one."""
    try:
        return LastWords.model_validate_json(text)
    except ValidationError:
        return None
