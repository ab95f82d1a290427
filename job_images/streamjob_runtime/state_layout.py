"""How the state of a job is cut: into partitions of Spark's, and into shards. Fixed for the life of a checkpoint.

Spark cannot redistribute the state of a query. So a checkpoint remembers how it was made, and size and mode of the job
may change: partitions go to whatever executors there are.
"""

from dataclasses import dataclass
from typing import Self

from streamjob_api.resources import Resources, RunningMode
from streamjob_runtime.shards import FORMER, Shards

# In Standalone mode. Each costs a micro-batch some 70 ms of CPU, whatever it holds, so a small job has fewer; with two,
# its folds can still use twice the core that it began with.
SMALL, STANDALONE = 2, 4
_SMALL_CORES = 2


@dataclass(frozen=True)
class StateLayout:
    """How one state is cut.

    Attributes:
        partitions: of the state, Spark's shuffle partitions.
        shards: as many as partitions; FORMER in a checkpoint from before.
    """

    partitions: int
    shards: int

    @classmethod
    def new(cls, resources: Resources) -> Self:
        """For a new checkpoint; a power of two: in Cluster mode at least one partition for each core of the workers."""
        if resources.mode is RunningMode.STANDALONE:
            partitions = SMALL if task_threads(resources.driver_cu) <= _SMALL_CORES else STANDALONE
        else:
            cores = (resources.workers or 0) * task_threads(resources.worker_cu)
            partitions = min(FORMER, max(STANDALONE, 1 << (cores - 1).bit_length()))
        return cls(partitions, partitions)

    @property
    def keys(self) -> Shards:
        """The shards themselves."""
        return Shards.of(self.shards)


def task_threads(cu: float) -> int:
    """Tasks that a pod runs at once: a CU is a core."""
    return max(1, int(cu))
