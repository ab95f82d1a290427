"""The state of a job: blocks by bucket for each shard, kept by Spark's transformWithState.

Spark also imports this module in a process that only asks for the state's variables: what folds is imported where it
is called.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle

from streamjob_runtime.row_schema import ROW_SCHEMA
from streamjob_runtime.rows import BlockRow
from streamjob_runtime.shards import Shards

if TYPE_CHECKING:
    from streamjob_api.job_file import JobFile

STATE_VARIABLE = "blocks"


def with_state(blocks: DataFrame, job: "JobFile", shards: Shards) -> DataFrame:
    """Fold the source's blocks into each shard's state; results, counts, dead letters and deadlines come out."""
    return blocks.groupBy("shard").transformWithState(
        ShardProcessor(job.model_dump_json(), shards), outputStructType=ROW_SCHEMA, outputMode="Update", timeMode="None"
    )


class ShardProcessor(StatefulProcessor):
    """Runs the job's template over the blocks of each shard."""

    def __init__(self, job_json: str, shards: Shards) -> None:
        self._job_json, self._shards = job_json, shards

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Open the state."""
        self._state = handle.getMapState(STATE_VARIABLE, "bucket long", "block binary")

    def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Row]:  # noqa: ARG002, N802, N803
        """Fold one shard's rows; Spark may hand them over in any order."""
        from streamjob_runtime.folding import cached_template, folded  # noqa: PLC0415 (see above)
        from streamjob_runtime.spark_block_store import SparkBlockStore  # noqa: PLC0415

        received = [BlockRow(*row) for row in rows]
        store = SparkBlockStore(self._state, key[0], self._shards)
        for row in folded(cached_template(self._job_json), store, received):
            yield Row(**row._asdict())

    def close(self) -> None:
        """Nothing to free."""
