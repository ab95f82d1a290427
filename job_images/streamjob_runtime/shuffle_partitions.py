"""Into how many partitions Spark puts the shards of a job's state: fixed for the life of a checkpoint.

Spark cannot redistribute the state of a query. So a checkpoint remembers its number, and size and mode of the job may
change: partitions go to whatever executors there are.
"""

from streamjob_api.job_file import JobFile
from streamjob_api.resources import Resources, RunningMode
from streamjob_runtime.checkpoint import made_with
from streamjob_runtime.shards import SHARDS

STANDALONE = 4


def shuffle_partitions(job: JobFile) -> int:
    """The number that the job's checkpoint was made with, or the one for a new checkpoint."""
    return made_with(job) or new_partitions(job.spec.resources)


def new_partitions(resources: Resources) -> int:
    """A power of two: in Cluster mode at least one for each core of the workers, and never more than shards."""
    cores = (resources.workers or 0) * task_threads(resources.worker_cu)
    if resources.mode is RunningMode.STANDALONE or cores <= STANDALONE:
        return STANDALONE
    return min(SHARDS, 1 << (cores - 1).bit_length())


def task_threads(cu: float) -> int:
    """Tasks that a pod runs at once: a CU is a core."""
    return max(1, int(cu))
