"""A job's inputs, named by their place; and how many assets and inputs came in more than one block."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.templates.arrays import Slots


@dataclass(frozen=True)
class NumberedInputs:
    """``model str, point str, input i32``: the points that a job reads, each with its place among the inputs."""

    table: pl.DataFrame

    @classmethod
    def of(cls, inputs: Iterable[PointRef]) -> Self:
        """Number them in their order."""
        numbered = [(ref.model, ref.point, number) for number, ref in enumerate(inputs)]
        schema = {"model": pl.String, "point": pl.String, "input": pl.Int32}
        return cls(pl.DataFrame(numbered, schema=schema, orient="row"))

    def select(self, points: pl.DataFrame) -> pl.DataFrame:
        """Return the points of the inputs, in order, with ``input`` added."""
        if points.height and _is_alike(points["model"]) and _is_alike(points["point"]):
            # Usual where messages have one point each; a comparison costs a tenth of the join.
            (number,) = points.head(1).join(self.table, on=["model", "point"], how="left")["input"]
            return (points.clear() if number is None else points).with_columns(input=pl.lit(number, pl.Int32))
        return points.join(self.table, on=["model", "point"], how="inner", maintain_order="left")


def _is_alike(names: pl.Series) -> bool:
    return bool((names == names[0]).all())


def in_several(slots: Sequence[Slots]) -> int:
    """Count the assets and inputs that are in more than one of the blocks: their order is not known."""
    _, times = np.unique(np.concatenate(slots), return_counts=True)
    return int((times > 1).sum())
