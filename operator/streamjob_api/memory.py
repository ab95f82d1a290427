"""How a pod's memory is shared out among its processes: the operator limits it, the runtime tells Spark its parts."""

from dataclasses import dataclass
from enum import StrEnum

MIB_PER_CU = 2048

_HEAP_PER_CU = 700
_ROCKSDB_PER_CU = 128
# Metaspace, compiled code, threads' stacks and buffers, which the JVM's flags keep below 400; measured at 1 to 4 CU.
_JVM = 250
# Where results pass through: 130 of libraries, 210 at 1 CU with a latency of one day (make bench-memory).
_MAIN_PER_CU, _MAIN = 40, 190
# The process that plans micro-batches, 110, and five of 35 that Spark forks workers of.
_PLANNING = 290
# For each core one that reads and one that keeps state: 240 and 140 in the same measurement.
_WORKERS_PER_CORE = 2
_LEAST_WORKER = 200


class PodRole(StrEnum):
    """What a pod does: all of a Standalone job, or a part of a Cluster job."""

    STANDALONE = "Standalone"
    MASTER = "master"
    WORKER = "worker"


@dataclass(frozen=True)
class Memory:
    """The parts of a pod's memory in MiB.

    Attributes:
        pod_mib: its limit, which the others add up to.
        heap_mib: the JVM's heap.
        jvm_mib: the JVM beside its heap and RocksDB.
        rocksdb_mib: block cache and write buffers of the state store, which lies in the JVM's process.
        main_mib: the main process; a Cluster job's worker has none.
        planning_mib: the planner, and the processes that workers are forked of.
        workers: Python workers, for each core one that reads and one that keeps state; a master has none.
        python_mib: what is left, for the workers, and for pages of files.
    """

    pod_mib: int
    heap_mib: int
    jvm_mib: int
    rocksdb_mib: int
    main_mib: int
    planning_mib: int
    workers: int
    python_mib: int

    @property
    def beside_heap_mib(self) -> int:
        """All but the heap, Spark's ``memoryOverhead``."""
        return self.pod_mib - self.heap_mib

    @property
    def worker_mib(self) -> int:
        """Of each worker; 0 where there is none."""
        return self.python_mib // self.workers if self.workers else 0


def memory_of(cu: float, role: PodRole = PodRole.STANDALONE) -> Memory:
    """Share out a pod's memory.

    Raises:
        ValueError: a JVM and Python do not fit in a pod of that size.
    """
    pod, heap, rocksdb = round(cu * MIB_PER_CU), int(_HEAP_PER_CU * cu), int(_ROCKSDB_PER_CU * cu)
    has_main, workers = role is not PodRole.WORKER, 0 if role is PodRole.MASTER else _WORKERS_PER_CORE * max(1, int(cu))
    main = _MAIN + round(_MAIN_PER_CU * cu) if has_main else 0
    planning = _PLANNING if has_main else 0
    left = pod - heap - rocksdb - _JVM - main - planning
    if left < _LEAST_WORKER * max(1, workers):
        raise ValueError(f"a JVM and Python do not fit in {pod} MiB")
    return Memory(pod, heap, _JVM, rocksdb, main, planning, workers, left)
