"""Where Spark's Python workers come from: a daemon that has imported what they need, and forks one when asked.

Spark's own daemon imports nothing, so that each worker spends seconds of CPU on the same imports, and has them in
memory of its own. Here they are imported once and shared. At the fork there is no thread of ours, and those of the
memory allocators take part in it.

Garbage is collected as often as Spark's daemon asks for it, after each task, and then only among what the task made:
a collection for each 700 objects, and through all that is imported, finds nothing: what a task makes is in no cycle.
"""

import gc
import sys
from importlib import import_module

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


def main() -> None:
    """Import and go over to Spark's daemon."""
    if sys.argv[1] == _OF_TASKS:
        for module in _NEEDED:
            import_module(module)
    gc.collect()
    gc.freeze()
    gc.disable()
    manager()


if __name__ == "__main__":
    main()
