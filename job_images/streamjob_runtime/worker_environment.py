"""The environment of Spark's Python workers."""

from typing import Final

FOR_WORKERS: Final = {
    # Each core has a task of its own; threads beside it would only wait for each other.
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc's arenas, one for each thread, would hold on to what micro-batches free.
    "MALLOC_ARENA_MAX": "2",
}
