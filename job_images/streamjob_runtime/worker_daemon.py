"""Where Spark's Python workers come from: a daemon that has imported what they need, and forks one when asked.

Spark's own daemon imports nothing, so that each worker spends seconds of CPU on the same imports, and has them in
memory of its own. Here they are imported once and shared. At the fork there is no thread of ours, and those of the
memory allocators take part in it.

Garbage is collected as often as Spark's daemon asks for it, after each task, and then only among what the task made:
a collection for each 700 objects, and through all that is imported, finds nothing: what a task makes is in no cycle.
What is left after a worker's first tasks, such as its consumer, template and models, stays, and is not gone through
again either.
"""

import gc
import sys
from importlib import import_module
from itertools import count
from typing import Any

from pyspark.daemon import manager

# What runs tasks; Spark has further kinds of workers, each with a daemon of its own, which need little.
_OF_TASKS = "pyspark.worker"
_NEEDED = (
    _OF_TASKS,
    "pyspark.sql.pandas.serializers",
    "pyspark.sql.streaming.stateful_processor_api_client",
    "streamjob_runtime.reading",
    "streamjob_runtime.stateful",
    "streamjob_runtime.folding",
    "streamjob_runtime.spark_block_store",
)
# Measured: 39,000 objects are left, 20 to 60 ms a task. To freeze always would keep for good what lives from a task to
# the next.
_FIRST_TASKS = 4


def main() -> None:
    """Import and go over to Spark's daemon."""
    if sys.argv[1] == _OF_TASKS:
        for module in _NEEDED:
            import_module(module)
    gc.collect()
    gc.freeze()
    gc.disable()
    gc.callbacks.append(_freezing(_FIRST_TASKS))
    manager()


def _freezing(times: int) -> Any:
    """What garbage collection is to call, to freeze what the first collections leave."""
    collections = count(1)

    def freeze(phase: str, _info: dict[str, int]) -> None:
        if phase == "stop" and next(collections) <= times:
            gc.freeze()

    return freeze


if __name__ == "__main__":
    main()
