"""What a calculator is: parameters, and a function of columns.

Records are data frames with these columns, in the order of their arrival:

``asset str, point enum (model::point), model_path str, time i64 (epoch ms), value f64 (finite; null: none), is_int bool
(written without fraction), text str (JSON of a text or truth value, which has no ``value``), arrival u32 (its place in
the micro-batch, which it keeps wherever it goes)``, and a column for each name that stages added to ``attr``; null
where a record has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from streamjob_api.calculators import Flow, StageParameters
from streamjob_api.points import PointRef
from streamjob_calculators.kit.columns import pl

if TYPE_CHECKING:
    from streamjob_api.permissions import Permissions
    from streamjob_api.points import AttributeRef
    from streamjob_runtime.templates.surroundings import Surroundings


class Run(Protocol):
    """What a stage has beside its records, in one micro-batch of one shard."""

    @property
    def now_ms(self) -> int:
        """The clock of the micro-batch, epoch ms."""

    @property
    def surroundings(self) -> Surroundings:
        """What the job is told beside its block: the OU's days, its assets, what it may do."""

    def recall(self) -> pl.DataFrame | None:
        """Return what the stage kept in an earlier micro-batch; None where it kept nothing."""

    def keep(self, state: pl.DataFrame) -> None:
        """Keep a frame for the next micro-batch, in the place of the last one.

        It has a column ``asset str`` and, where it is of points, ``point str``: by these, users look at it and have it
        forgotten.
        """

    def owned(self, assets: list[str]) -> list[str]:
        """Return those of some assets that are the shard's; records of the others are another run's to make."""

    def wake(self, at_ms: int) -> None:
        """Have the stage applied again at this time of the clock at the latest, though nothing came; see uses_clock."""

    def reject(self, records: pl.DataFrame, cause: str) -> None:
        """Hand over records that cannot be handled; they are not in what the stage gives.

        Args:
            records: as they came.
            cause: in words for people, without any value of a record.
        """

    def count(self, name: str, records: int) -> None:
        """Count records that are used no further, by reason."""

    def attribute(self, assets: list[str], ref: AttributeRef) -> list[float | int | str | bool | None]:
        """Return an attribute of each of some assets, None where there is none."""


class Calculator(StageParameters):
    """A stage's parameters, and what it does with records."""

    @property
    def uses_clock(self) -> bool:
        """Whether it may have itself woken; then it is applied when the clock has come, too, without records."""
        return False

    def check_ready(self, allowed: Permissions) -> None:
        """See whether it can run on this machine, before any record has come.

        Args:
            allowed: what pipelines may do.

        Raises:
            InvalidConfiguration: it cannot; the message says why.
        """

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return what becomes of the next records, in an order that a replay repeats.

        Whatever was cut differently into micro-batches must give the same results in the end.
        """
        raise NotImplementedError

    def end(self, given: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return what is still open as if its end had come; for an input that ends, as a preview's does.

        Args:
            given: no records, of the columns of those that the stage gives.
            run: the stage's.
        """
        return given


class PointCalculator(Calculator):
    """A calculator of one point, whose records get another name, or keep their own."""

    input: PointRef = Field(description="Point to work on.", examples=["Meter::A"])
    output: PointRef | None = Field(
        default=None,
        description="Point of the records that it gives, of any model. Left out: that of the input.",
        examples=["Meter::A_checked"],
    )

    def takes(self) -> frozenset[PointRef]:
        """Return the one point."""
        return frozenset({self.input})

    def gives(self, coming: Flow) -> Flow:
        """Return the one point, renamed."""
        return coming.made(self.output or self.input)

    def named(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return records under the output's name."""
        if self.output is None:
            return records
        return records.with_columns(point=pl.lit(str(self.output)).cast(records.schema["point"]))
