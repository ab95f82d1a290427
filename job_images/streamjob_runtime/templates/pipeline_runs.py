"""What one stage of a pipeline has beside its records, in one micro-batch of one shard."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from streamjob_api.calculators import Node, OnRecordError
from streamjob_api.points import AttributeRef
from streamjob_calculators.kit.conditions import is_true
from streamjob_runtime.faults import RecordFailed
from streamjob_runtime.letters import DEAD_LETTERS
from streamjob_runtime.records import encode
from streamjob_runtime.templates.pipeline_results import pipeline_results, quality
from streamjob_runtime.templates.protocols import ShardStore
from streamjob_runtime.templates.surroundings import NoScalar, Surroundings

FAILED = "failed"
FILTERED_QUALITY = "filteredQuality"
# Reasons that templates count by, too; what calculators call otherwise is told apart.
_SHARED = frozenset({FAILED, FILTERED_QUALITY, "discarded", "late", "missing", "outside"})
_REASON = "StageFailed"


@dataclass(frozen=True)
class StageStore:
    """One stage's part of a shard's state.

    Attributes:
        bucket: the rank of the stage's name among those that keep anything; None: it keeps nothing.
    """

    store: ShardStore
    bucket: int | None

    def recall(self) -> pl.DataFrame | None:
        """Return what was kept; None where nothing was."""
        return None if self.bucket is None else self.store.get(self.bucket)

    def keep(self, state: pl.DataFrame) -> None:
        """Keep a frame in the place of the last one.

        Raises:
            TypeError: the stage's calculator says that it keeps nothing.
        """
        if self.bucket is None:
            raise TypeError("a calculator keeps something, and says by keeps_state that it does not")
        self.store.put(self.bucket, state)

    def clear(self) -> None:
        """Keep nothing."""
        if self.bucket is not None and self.recall() is not None:
            self.store.remove(self.bucket)

    def owned(self, assets: Sequence[str]) -> list[str]:
        """Return those of some assets that fall into the shard."""
        return self.store.owned(assets)


@dataclass
class StageRun:
    """A stage's turn; see ``streamjob_calculators.kit.Run``.

    Attributes:
        deadlines: when the stage is to be applied again at the latest, epoch ms.
        failed: records that the stage could not handle, with the column ``cause``.
        counts: of those, and of records that are used no further.
    """

    node: Node
    store: StageStore
    now_ms: int
    surroundings: Surroundings
    deadlines: list[int] = field(default_factory=list)
    failed: list[pl.DataFrame] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _kept: pl.DataFrame | None = None
    _is_recalled: bool = False

    def recall(self) -> pl.DataFrame | None:
        """Return what the stage kept; the state is asked once."""
        if not self._is_recalled:
            self._kept, self._is_recalled = self.store.recall(), True
        return self._kept

    def keep(self, state: pl.DataFrame) -> None:
        """Keep a frame for the next micro-batch; one that is there already is not written again."""
        if self._kept is None or not state.equals(self._kept):
            self.store.keep(state)
        self._kept, self._is_recalled = state, True

    def owned(self, assets: list[str]) -> list[str]:
        """Return those of some assets that are the shard's."""
        return self.store.owned(assets)

    def wake(self, at_ms: int) -> None:
        """Have the stage applied again at this time at the latest."""
        self.deadlines.append(at_ms)

    def count(self, name: str, records: int) -> None:
        """Count records that are used no further."""
        self.counts[name if name in _SHARED else f"stage.{name}"] += records

    def attribute(self, assets: list[str], ref: AttributeRef) -> list[float | int | str | bool | None]:
        """Return an attribute of each of some assets; what holds no value counts as none."""
        values = self.surroundings.attributes.read(assets, [ref])[ref]
        return [None if isinstance(value, NoScalar) else value for value in values]

    def reject(self, records: pl.DataFrame, cause: str) -> None:
        """Take records that the stage cannot handle.

        Raises:
            RecordFailed: the stage is to stop the job for them.
        """
        if not records.height:
            return
        stage = self.node.stage
        if stage.on_record_error is OnRecordError.STOP_PIPELINE:
            raise RecordFailed(f"stage '{stage.name}' met {records.height} records that it cannot handle: {cause}")
        self.count(FAILED, records.height)
        if stage.on_record_error is OnRecordError.SEND_TO_ERROR:
            self.failed.append(records.with_columns(cause=pl.lit(cause)))

    def admitted(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return the records of the stage's qualities for which its precondition is true; of these, the others fail."""
        records = self._of_qualities(records)
        condition = self.node.stage.precondition
        if condition is None or not records.height:
            return records
        holds = is_true(condition, records)
        self.reject(records.filter(~holds), "its precondition is not true")
        return records.filter(holds)

    def _of_qualities(self, records: pl.DataFrame) -> pl.DataFrame:
        qualities = self.node.stage.qualities
        if not qualities or not records.height:
            return records
        kept = records.filter(quality(records).is_in(qualities))
        if kept.height < records.height:
            self.count(FILTERED_QUALITY, records.height - kept.height)
        return kept


def failed_letters(runs: Sequence[StageRun], org_id: str) -> pl.DataFrame:
    """Return the failed records of all stages as DEAD_LETTERS; each is written as a one-point record."""
    frames = [_letters(run, failed, org_id) for run in runs for failed in run.failed]
    return pl.concat(frames) if frames else DEAD_LETTERS.to_frame()


def _letters(run: StageRun, failed: pl.DataFrame, org_id: str) -> pl.DataFrame:
    records = pipeline_results(failed.drop("cause"))
    value = encode(records, org_id)["record"].cast(pl.Binary)
    columns = {
        "topic": None,
        "partition": None,
        "offset": None,
        "reason": _REASON,
        "detail": failed["cause"],
        "key": failed["asset"].cast(pl.Binary),
        "value": value,
        "size": value.bin.size(),
        "stage": run.node.stage.name,
    }
    return pl.DataFrame({name: columns[name] for name in DEAD_LETTERS}, schema=DEAD_LETTERS)
