"""What every template is to the source, the state and the sink: pure functions over columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.chosen import Chosen

# Columns that every template's results have; a template may add its own (mode, calculation).
RESULTS = pl.Schema(
    {
        "asset": pl.String,
        "model": pl.String,
        "model_path": pl.String,
        "point": pl.String,
        "time": pl.Int64,
        "value": pl.Float64,
        "is_int": pl.Boolean,
        "attr": pl.String,
        "text": pl.String,
    }
)

# Beside RESULTS where some leave through topics of their own: str; null is the topic of the job's results.
TOPIC = "topic"


def results_of(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return RESULTS of numbers: all columns but ``text``, which is the JSON of a value that is no number."""
    return pl.DataFrame({**columns, "text": None}, schema=RESULTS)


class BlockStore(Protocol):
    """The state of one shard: blocks by bucket."""

    def get(self, bucket: int) -> pl.DataFrame | None:
        """Return the block of a bucket, None where there is none."""

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Write the block of a bucket."""

    def remove(self, bucket: int) -> None:
        """Drop a bucket; one that is not there is no error."""


class ShardStore(BlockStore, Protocol):
    """The state of one shard, and which assets are the shard's."""

    def owned(self, assets: Sequence[str]) -> list[str]:
        """Return those of some assets that fall into the shard, in their order."""


@dataclass(frozen=True)
class Combined:
    """What one partition of a micro-batch was reduced to.

    Attributes:
        blocks: by shard, in the template's own form; for ``Template.fold``.
        counts: records dropped, by reason.
    """

    blocks: dict[int, pl.DataFrame]
    counts: dict[str, int]


@dataclass(frozen=True)
class Folded:
    """What one shard gave in one micro-batch.

    Attributes:
        results: RESULTS, by time for each asset and point, in an order that a replay repeats; each row an upsert.
            ``value`` is finite or null; ``attr`` is a JSON object.
            ``text`` stands for ``value`` where the result is a text or a truth value.
        counts: records dropped, by reason.
        deadline: when the shard must be folded again at the latest, epoch ms, though nothing came; None: never.
        is_steady: whether folds until the deadline give the same whatever their clock; a preview makes one of them.
        beside: what the driver is told beside results, by the kind of row that takes it there.
    """

    results: pl.DataFrame
    counts: dict[str, int]
    deadline: int | None = None
    is_steady: bool = False
    beside: Mapping[Kind, pl.DataFrame] = field(default_factory=dict)


class Combiner(Protocol):
    """Reduces one partition of one micro-batch, before anything crosses to the JVM."""

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition (``Decoded.points``), in order."""

    def finish(self) -> Combined:
        """Return what was combined; the combiner is used up."""


class Held(NamedTuple):
    """One thing that a state holds of an asset.

    Attributes:
        point: ``model::point``; empty for what is held of the asset as a whole.
        kind: what it is, as one word.
        fields: its parts by name, as JSON has them; times are epoch ms, under names that end in ``time``.
    """

    asset: str
    point: str
    kind: str
    fields: dict[str, Any]


class Template(Protocol):
    """A calculation: what it reads, and how a micro-batch changes the state of a shard."""

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""

    @property
    def texts(self) -> frozenset[PointRef]:
        """Inputs whose values may be texts or truth values; where there are any, blocks of points have ``text``."""

    @property
    def identity(self) -> str:
        """Hash of all that makes a checkpoint (in)compatible."""

    @property
    def uses_clock(self) -> bool:
        """Whether a fold may have a deadline; then every shard is folded once after a start, to name its own."""

    def combiner(self, shards: Shards) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch, and these shards."""

    def fold(self, store: ShardStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Fold the blocks of one shard, all those of a micro-batch, into its state.

        Without blocks it is a tick: the clock has come to a deadline, or nobody knows the deadlines any more. A fold
        with blocks does what is due at its time, too. After a start every shard ticks once, after the blocks that came
        with it, before anything else is known of the deadlines.

        Assets know nothing of each other, so that one store may as well serve all shards, as a preview's does.
        """

    def forget(self, store: ShardStore, chosen: Chosen, now_ms: int) -> Mapping[Kind, pl.DataFrame]:
        """Drop all that one shard's state holds of some assets and points, as if none of their records had ever come.

        Returns what the driver is told beside results, as ``Folded.beside``.
        """

    def held(self, store: ShardStore, chosen: Chosen) -> Iterator[Held]:
        """Yield what one shard's state holds of some assets and points, for people to read."""

    def close(self, store: ShardStore) -> Folded:
        """Give what is still open as if its end had come; for an input that ends, as a preview's does.

        ``results`` are final and in no order that counts. A driver never closes: its input goes on.
        """


@runtime_checkable
class ReadsQualities(Protocol):
    """What a template says beside, if blocks of points are to have ``quality``."""

    @property
    def qualities(self) -> bool:
        """Whether they are."""
