"""How the memory of a driver's pod is shared out."""

from dataclasses import dataclass

MIB_PER_CU = 2048


@dataclass(frozen=True)
class Memory:
    """The parts of ``cu x 2 GiB``; what is left over is the kernel's page cache and the planner's process."""

    heap_mib: int
    rocksdb_mib: int
    messages_per_batch: int
    bytes_per_chunk: int


def memory_of(cu: float) -> Memory:
    """Share out a pod's memory.

    Of each CU's 2 GiB the JVM's heap takes a third (700 MiB), its code, threads and buffers about 250 MiB, RocksDB
    128 MiB, and Python's processes (main, planner, one worker for each running task) the rest. A micro-batch's
    messages pass through in chunks and only their combined form is kept, so that 400,000 messages for each CU take
    less than 100 MiB even where nothing can be combined.
    """
    return Memory(
        heap_mib=int(700 * cu),
        rocksdb_mib=int(128 * cu),
        messages_per_batch=int(400_000 * cu),
        bytes_per_chunk=8 * 2**20,
    )
