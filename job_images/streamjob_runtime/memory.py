"""How much passes through a job's pods at once, so that it fits in their memory."""

from streamjob_api.resources import Resources

# A micro-batch's messages pass through in chunks and only their combined form is kept.
BYTES_PER_CHUNK = 8 * 2**20
_MESSAGES_PER_CU = 800_000
# A master takes the results of so many workers of its own size.
_WORKERS_PER_MASTER = 4


def messages_per_batch(resources: Resources) -> int:
    """Messages of a micro-batch at most.

    800,000 for each CU that reads take less than 200 MiB even where nothing can be combined. In a Cluster job the
    workers read; but the results of all of them pass through the master.
    """
    if not resources.workers:
        return int(_MESSAGES_PER_CU * resources.driver_cu)
    reading = resources.workers * resources.worker_cu
    return int(_MESSAGES_PER_CU * min(reading, _WORKERS_PER_MASTER * resources.driver_cu))
