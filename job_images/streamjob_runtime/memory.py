"""How the memory of a job's pods is shared out: a Standalone job's one pod, a Cluster job's master and workers."""

from dataclasses import dataclass

from streamjob_api.resources import Resources

MIB_PER_CU = 2048
# A micro-batch's messages pass through in chunks and only their combined form is kept.
BYTES_PER_CHUNK = 8 * 2**20
_MESSAGES_PER_CU = 400_000
# A master takes the results of so many workers of its own size.
_WORKERS_PER_MASTER = 4


@dataclass(frozen=True)
class Memory:
    """The parts of a pod's ``cu x 2 GiB``; what is left over is the kernel's page cache and Python's processes."""

    heap_mib: int
    rocksdb_mib: int
    beside_heap_mib: int


def memory_of(cu: float) -> Memory:
    """Share out a pod's memory, a driver's or an executor's.

    Of each CU's 2 GiB the JVM's heap takes a third (700 MiB), its code, threads and buffers about 250 MiB, RocksDB
    128 MiB, and Python's processes the rest: one worker for each running task, with the driver its main process and the
    planner.
    """
    heap = int(700 * cu)
    return Memory(heap_mib=heap, rocksdb_mib=int(128 * cu), beside_heap_mib=int(MIB_PER_CU * cu) - heap)


def messages_per_batch(resources: Resources) -> int:
    """Messages of a micro-batch at most.

    400,000 for each CU that reads take less than 100 MiB even where nothing can be combined. In a Cluster job the
    workers read; but the results of all of them pass through the master.
    """
    if not resources.workers:
        return int(_MESSAGES_PER_CU * resources.driver_cu)
    reading = resources.workers * resources.worker_cu
    return int(_MESSAGES_PER_CU * min(reading, _WORKERS_PER_MASTER * resources.driver_cu))
