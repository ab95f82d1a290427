"""The status of both kinds, as the operator writes it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from streamjob_api.base import PlainModel
from streamjob_api.resources import RunningMode
from streamjob_api.schema_marks import ATOMIC, keyed_by

ShortText = Annotated[str, StringConstraints(max_length=256)]
Message = Annotated[str, StringConstraints(max_length=4096)]
# Names of jobs beside a library.
NAMED_JOBS = 3


class StatusModel(PlainModel):
    """A part of a status: unknown fields are passed over, so that an older operator can read a newer one's."""

    model_config = ConfigDict(extra="ignore")


class Condition(StatusModel):
    """A condition as Kubernetes defines it (metav1.Condition)."""

    type: ShortText = Field(description="What the condition speaks of.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: ShortText = Field(description="Why, as one CamelCase word for programs.")
    message: Message = Field(default="", description="Why, as a sentence for people.")
    observed_generation: int = Field(default=0, description="Generation of the spec that this was concluded from.")
    last_transition_time: datetime = Field(description="When 'status' last changed.")


class Driver(StatusModel):
    """The driver pod of the present attempt."""

    pod_name: ShortText = Field(description="Name of the pod.")
    uid: ShortText = Field(default="", description="UID of the pod; empty until it has been seen.")
    node: ShortText = Field(default="", description="Node it runs on.")
    started_at: datetime | None = Field(default=None, description="When the pod was created.")


class Restarts(StatusModel):
    """Drivers that were lost or failed."""

    total: int = Field(default=0, description="Since the job was created.")
    consecutive: int = Field(default=0, description="Failures of the job itself since it was last healthy for long.")
    infrastructure: int = Field(default=0, description="Losses that were not the job's fault, since last healthy.")
    last_time: datetime | None = Field(default=None, description="When the last driver ended.")
    last_reason: ShortText = Field(default="", description="Why.")
    last_message: Message = Field(default="", description="Its last words.")
    last_exit_code: int | None = Field(default=None, description="Its exit code, if it had one.")
    last_attempt: int = Field(default=0, description="The attempt that was counted last; none is counted twice.")


class Deployed(StatusModel):
    """What the present attempt runs."""

    spec_hash: ShortText = Field(description="Hash of everything that the driver was given.")
    generation: int = Field(description="Generation of the job's spec.")
    resolved_hash: ShortText = Field(
        default="", description="Hash of what was found for the driver in its OU: calculated inputs, types of names."
    )
    state_hash: ShortText = Field(
        default="", description="Hash of the fields whose change breaks the state; empty where it is not known."
    )
    epoch: int = Field(default=0, description="Raised whenever state and offsets are dropped.")
    checkpoint: ShortText = Field(default="", description="Checkpoint path below the volume's root.")
    image: Annotated[str, StringConstraints(max_length=512)] = Field(default="", description="Runtime image.")
    revision: ShortText = Field(default="", description="Name of the ControllerRevision that holds the spec.")
    unproven_since: datetime | None = Field(
        default=None, description="When this spec was first tried, until its driver has been ready once."
    )


class Stable(StatusModel):
    """The last spec that was healthy; a rollback goes back to it."""

    spec_hash: ShortText = Field(description="Hash of everything that its driver was given.")
    generation: int = Field(description="Generation of the job's spec.")
    epoch: int = Field(default=0, description="Of its checkpoint.")
    revision: ShortText = Field(default="", description="Name of the ControllerRevision that holds the spec.")


class RolledBack(StatusModel):
    """A changed spec that did not become healthy, while the last stable one runs in its place."""

    spec_hash: ShortText = Field(description="Hash of the spec that is not tried again.")
    generation: int = Field(description="Its generation.")
    reason: ShortText = Field(description="Why it was given up.")
    message: Message = Field(default="", description="The same as a sentence.")


class Stop(StatusModel):
    """How the last driver that was asked to end did so."""

    pod_name: ShortText = Field(default="", description="Name of its pod.")
    graceful: bool | None = Field(
        default=None, description="Whether it finished its micro-batch; if not, it is read again. Empty while it ends."
    )
    at: datetime | None = Field(default=None, description="When it had ended; empty while it ends.")
    message: Message = Field(default="", description="Its last words.")


class Executors(StatusModel):
    """Executor pods of a Cluster job; numbers alone, however many come and go."""

    requested: int = Field(default=0, description="Workers of the spec that runs.")
    running: int = Field(default=0, description="Executor pods that run now.")


class Throughput(StatusModel):
    """Rates, lag and totals, at most once a minute."""

    input_records_per_second: float = Field(default=0, description="Messages read per second over the last minute.")
    output_records_per_second: float = Field(default=0, description="Results written per second over the last minute.")
    batch_duration_ms: int = Field(default=0, description="Duration of the last micro-batch.")
    lag_records: int = Field(default=0, description="Messages produced but not yet read.")
    watermark: datetime | None = Field(default=None, description="Highest event time that was seen.")
    total_in: int = Field(default=0, description="Messages read since the driver started.")
    total_out: int = Field(default=0, description="Results written since the driver started.")
    total_late: int = Field(default=0, description="Records too late for a result.")
    total_filtered: int = Field(default=0, description="Values of assets that the job leaves out.")
    total_outside: int = Field(default=0, description="Records outside their threshold.")
    total_malformed: int = Field(default=0, description="Messages that could not be read; they are dead-lettered.")
    total_refused: int = Field(default=0, description="Records refused: no number, or time in the future.")
    observed_at: datetime | None = Field(default=None, description="When the driver was asked.")


class StreamJobStatus(StatusModel):
    """What is true of a job now."""

    observed_generation: int = Field(default=0, description="Generation of the spec that this status speaks of.")
    phase: ShortText = Field(default="", description="One word for people; programs read the conditions.")
    conditions: list[Condition] = Field(
        default=[], max_length=16, description="Conditions, for programs.", json_schema_extra=keyed_by("type")
    )
    attempt: int = Field(default=0, description="Number of the present or last driver pod.")
    admitted_cu: float = Field(default=0, description="CU that the job holds of the OU's capacity.")
    admitted_mode: RunningMode = Field(
        default=RunningMode.STANDALONE, description="The mode whose capacity these CU are of."
    )
    restarts: Restarts = Field(default=Restarts(), description="Drivers that were lost or failed.")
    driver: Driver | None = Field(default=None, description="The driver pod of the present attempt.")
    deployed: Deployed | None = Field(default=None, description="What the present attempt runs.")
    highest_epoch: int = Field(default=0, description="The highest epoch that was ever begun.")
    last_stable: Stable | None = Field(default=None, description="The last spec that was healthy.")
    rolled_back: RolledBack | None = Field(default=None, description="The changed spec that was given up, if any.")
    stop: Stop | None = Field(default=None, description="How the last driver that was asked to end did so.")
    paused_at: datetime | None = Field(default=None, description="Since when the job is paused.")
    executors: Executors | None = Field(default=None, description="Executor pods of a Cluster job.")
    throughput: Throughput | None = Field(default=None, description="Rates, lag and totals.")


class CapacityUse(StatusModel):
    """CU of one use, in numbers."""

    total: float = Field(default=0, description="CU asked for.")
    used: float = Field(default=0, description="CU held by jobs whose driver is there.")
    reserved: float = Field(default=0, description="CU held by admitted jobs whose driver is still to come.")
    queued: float = Field(default=0, description="CU that queued jobs wait for.")
    free: float = Field(default=0, description="CU left; below zero when capacity shrank under running jobs.")


class LibrarySlots(StatusModel):
    """Places for installed libraries; a design CU has 3."""

    total: int = Field(default=0, description="Slots asked for.")
    used: int = Field(default=0, description="Slots taken by installed libraries.")


class LibraryState(StrEnum):
    """What has become of a library that a StreamResource lists, or listed."""

    INSTALLED = "Installed"
    NO_SLOT = "NoSlot"
    NOT_IN_CATALOGUE = "NotInCatalogue"
    REMOVING = "Removing"


class LibraryStatus(StatusModel):
    """A library that the resource lists, or that a driver still runs."""

    name: ShortText = Field(description="Name of the library.")
    version: ShortText = Field(description="Version of the library.")
    state: LibraryState = Field(
        description="Installed; NoSlot: all slots are taken; NotInCatalogue: the operator has no image for it; "
        "Removing: listed no more, it keeps its slot until the last driver that runs it ends."
    )
    jobs: int = Field(default=0, description="Jobs that need it, drafts not counted.")
    used_by: list[ShortText] = Field(default=[], max_length=NAMED_JOBS, description="Names of the first of them.")
    image: ShortText = Field(default="", description="Runtime image of the catalogue.")


class Holdings(StatusModel):
    """CU by the job that holds them: its name, a slash, the first 8 characters of its UID."""

    standalone: dict[str, float] = Field(
        default={}, description="Of the capacity for Standalone jobs.", json_schema_extra=ATOMIC
    )
    cluster: dict[str, float] = Field(
        default={}, description="Of the capacity for Cluster jobs.", json_schema_extra=ATOMIC
    )


class StreamResourceStatus(StatusModel):
    """What is true of an OU's resource now."""

    observed_generation: int = Field(default=0, description="Generation of the spec that this status speaks of.")
    phase: ShortText = Field(default="", description="One word for people; programs read the conditions.")
    conditions: list[Condition] = Field(
        default=[], max_length=16, description="Conditions, for programs.", json_schema_extra=keyed_by("type")
    )
    org_id: ShortText = Field(default="", description="The OU's id in topics and records, resolved.")
    standalone: CapacityUse = Field(default=CapacityUse(), description="CU of Standalone jobs.")
    cluster: CapacityUse = Field(default=CapacityUse(), description="CU of Cluster jobs, master and workers.")
    library_slots: LibrarySlots = Field(default=LibrarySlots(), description="Places for installed libraries.")
    libraries: list[LibraryStatus] = Field(
        default=[],
        max_length=300,
        description="Libraries, those with a fault first, as many as 10 KiB hold.",
        json_schema_extra=keyed_by("name", "version"),
    )
    libraries_not_shown: int = Field(default=0, description="Further libraries, for which there is no room.")
    in_use: bool = Field(default=False, description="Whether jobs hold capacity; then it must not be deleted.")
    holders: Holdings = Field(
        default=Holdings(), description="Jobs that hold capacity, whether their driver is up or not."
    )
    leaving: Holdings = Field(
        default=Holdings(), description="Capacity that was taken back from a job, and is free in a moment."
    )
