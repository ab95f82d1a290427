"""The deadlines of a job's shards, kept by the driver's main process for the planner."""

from streamjob_runtime.deadline_file import DeadlineFile, Deadlines


class KnownDeadlines:
    """What the driver's main process knows of the deadlines; after its start, nothing."""

    def __init__(self, file: DeadlineFile, shards: int, *, uses_clock: bool) -> None:
        self._file = file
        self._shards = shards
        self._by_shard: Deadlines = {}
        if uses_clock:
            file.write({})
        else:
            file.remove()

    def add(self, deadlines: Deadlines) -> None:
        """Take note of those that a micro-batch named; the planner must know before the next one is planned."""
        if not deadlines:
            return
        self._by_shard |= deadlines
        if len(self._by_shard) == self._shards:
            self._file.write(self._by_shard)
