"""Edits of a job's state: what a paused job is to forget, written beside its checkpoint and carried out by the job.

Spark's state store is not written from outside. An edit has a number; the planner puts the number of the last one into
the end offset of the next micro-batch, which so forgets exactly once, however often it is tried again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streamjob_api.job_file import JobFile
from streamjob_api.points import PointRef
from streamjob_runtime.checkpoint_files import REMEDY, write_durably
from streamjob_runtime.faults import CheckpointDamaged
from streamjob_runtime.shards import Shards

if TYPE_CHECKING:
    from streamjob_runtime.templates.chosen import Chosen

_FILE = "streamjob-edits.json"


@dataclass(frozen=True)
class Edit:
    """Some assets and points that are forgotten.

    Attributes:
        number: 1 for the first one of a checkpoint.
        assets: ids, or patterns of ids.
        points: inputs of the job.
        at_ms: when it was asked for.
    """

    number: int
    assets: tuple[str, ...]
    points: tuple[str, ...]
    at_ms: int


class EditsFile:
    """The edits of one checkpoint that its last committed micro-batch has not taken up, and maybe earlier ones."""

    def __init__(self, job: JobFile) -> None:
        self._file = Path(job.checkpoint_path) / _FILE

    @property
    def last(self) -> int:
        """The number of the last edit; 0 where there is none."""
        return max((edit.number for edit in self._read()), default=0)

    def between(self, after: int, until: int) -> list[Edit]:
        """The edits from behind one number up to another."""
        return [edit for edit in self._read() if after < edit.number <= until]

    def pending(self, taken_up: int) -> list[Edit]:
        """The edits that are still to be taken up."""
        return [edit for edit in self._read() if edit.number > taken_up]

    def add(self, assets: Sequence[str], points: Iterable[PointRef], at_ms: int, taken_up: int) -> None:
        """Add an edit; those that were taken up go."""
        pending = self.pending(taken_up)
        number = max(taken_up, *(edit.number for edit in pending), 0) + 1
        edit = Edit(number, tuple(assets), tuple(sorted(map(str, points))), at_ms)
        write_durably(self._file, json.dumps([asdict(one) for one in [*pending, edit]]))

    def _read(self) -> list[Edit]:
        if not self._file.exists():
            return []
        try:
            rows = json.loads(self._file.read_text(errors="replace"))
            return [Edit(row["number"], tuple(row["assets"]), tuple(row["points"]), row["at_ms"]) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise CheckpointDamaged(f"{self._file} cannot be read; {REMEDY}") from error


def by_shard(edits: Iterable[Edit], shards: Shards) -> Mapping[int, bytes]:
    """What each shard is to forget, as JSON: an asset's shard of that asset, all of them of a pattern."""
    from streamjob_runtime.templates.chosen import is_pattern  # noqa: PLC0415 (a planner with nothing to edit needs no templates)

    told: dict[int, list[dict[str, Sequence[str]]]] = {}
    for edit in edits:
        own: dict[int, list[str]] = {}
        for asset in edit.assets:
            for shard in shards.keys if is_pattern(asset) else [shards.of_asset(asset)]:
                own.setdefault(shard, []).append(asset)
        for shard, assets in own.items():
            told.setdefault(shard, []).append({"assets": assets, "points": edit.points})
    return {shard: json.dumps(rows).encode() for shard, rows in sorted(told.items())}


def chosen_of(block: bytes) -> "list[Chosen]":
    """What one shard is to forget."""
    from streamjob_runtime.templates.chosen import Chosen  # noqa: PLC0415 (as above)

    return [Chosen.of(row["assets"], map(PointRef.parse, row["points"])) for row in json.loads(block)]
