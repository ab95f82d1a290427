"""What a job takes of its OU's capacity; 1 CU is 1 CPU core and 2 GiB of memory."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from streamjob_api.base import ApiModel, Int, Number
from streamjob_api.diffs import RESTART
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import rules, unit

# A JVM and Python do not fit in the 1 GiB of half a CU.
MIN_STANDALONE_CU, MAX_STANDALONE_CU = 1, 4
MAX_WORKERS = 100
MAX_WORKER_CU = 64
DEFAULT_CU = 1.0

_STANDALONE_RANGE = "Standalone takes 1 to 4 CU: a JVM and Python do not fit in the 1 GiB of 0.5 CU"
_IS_CLUSTER = "has(self.mode) && self.mode == 'Cluster'"
_EXAMPLES = {"master": "{cu: 1}", "workers": "3", "worker": "{cu: 2}"}
_ONLY_CLUSTER = "master, workers and worker are required with mode Cluster, and only there"


class RunningMode(StrEnum):
    """Standalone: one pod does everything; Cluster: a driver and executors."""

    STANDALONE = "Standalone"
    CLUSTER = "Cluster"


class Pod(ApiModel):
    """The size of a pod."""

    cu: Number = Field(
        ge=1,
        le=MAX_WORKER_CU,
        multiple_of=0.5,
        description="Size of the pod, in steps of 0.5.",
        examples=[2],
        json_schema_extra=RESTART | unit("CU"),
    )


class Resources(ApiModel):
    """What the job takes of the OU's capacity; 1 CU is 1 CPU core and 2 GiB of memory."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "cu goes with mode Standalone; with Cluster write master, workers and worker",
                f"!({_IS_CLUSTER}) || !has(self.cu)",
            ),
            (_STANDALONE_RANGE, "!has(self.cu) || (self.cu >= 1.0 && self.cu <= 4.0)"),
            (
                _ONLY_CLUSTER,
                " && ".join(f"({_IS_CLUSTER}) == has(self.{name})" for name in ("master", "workers", "worker")),
            ),
        )
    )

    mode: RunningMode = Field(
        default=RunningMode.STANDALONE,
        description="Standalone: one pod; Cluster: a driver and workers.",
        json_schema_extra=RESTART,
    )
    cu: Number | None = Field(
        default=None,
        gt=0,
        multiple_of=0.5,
        description="Size of a Standalone job: 1 to 4 in steps of 0.5; 1 where nothing is given.",
        examples=[2],
        json_schema_extra=RESTART | unit("CU"),
    )
    master: Pod | None = Field(default=None, description="The driver of a Cluster job.")
    workers: Int | None = Field(
        default=None,
        ge=1,
        le=MAX_WORKERS,
        description="Executors of a Cluster job, the master not counted.",
        examples=[3],
        json_schema_extra=RESTART | unit("pods"),
    )
    worker: Pod | None = Field(default=None, description="Each executor of a Cluster job.")

    @field_validator("cu")
    @classmethod
    def _default(cls, value: float | None, info: ValidationInfo) -> float | None:
        """1 CU, where nothing is given: no default in the schema, or every Cluster job would have a cu."""
        return DEFAULT_CU if value is None and info.data.get("mode") is RunningMode.STANDALONE else value

    def faults(self) -> Iterator[RuleFault]:
        """Each mode has its own fields."""
        cluster = {"master": self.master, "workers": self.workers, "worker": self.worker}
        if self.mode is RunningMode.CLUSTER:
            for field, value in cluster.items():
                if value is None:
                    yield RuleFault(f"required with mode Cluster; write e.g. {field}: {_EXAMPLES[field]}", (field,))
            if self.cu is not None:
                yield RuleFault("only with mode Standalone; write master, workers and worker", ("cu",))
            return
        for field, value in cluster.items():
            if value is not None:
                yield RuleFault("only with mode Cluster; leave it out or change the mode", (field,))
        if self.cu is not None and self.cu < MIN_STANDALONE_CU:
            message = "too small; write 1 to 4: a JVM and Python do not fit in the 1 GiB of 0.5 CU"
            yield RuleFault(f"{self.cu:g} is {message}", ("cu",))
        if self.cu is not None and self.cu > MAX_STANDALONE_CU:
            yield RuleFault(f"{self.cu:g} is too large for one pod; write 1 to 4, or mode Cluster", ("cu",))

    @property
    def driver_cu(self) -> float:
        """Size of the driver pod."""
        if self.master is not None:
            return self.master.cu
        return self.cu if self.cu is not None else DEFAULT_CU

    @property
    def worker_cu(self) -> float:
        """Size of each executor pod; 0 where there are none."""
        return self.worker.cu if self.worker is not None else 0

    @property
    def total_cu(self) -> float:
        """CU that the job takes of the OU's capacity for its mode; workers count whether they are up or not."""
        if self.worker is None or self.workers is None:
            return self.driver_cu
        return self.driver_cu + self.workers * self.worker.cu
