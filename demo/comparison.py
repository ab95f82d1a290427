"""Hold what a job gave against what it must give: every result, none excepted."""

from dataclasses import dataclass

import polars as pl

from demo.expected import Expected

POINTS = {"highest": "MaxReading10Min", "lowest": "MinReading10Min"}


@dataclass(frozen=True)
class Comparison:
    """What came out of it.

    Attributes:
        expected: Results that must be there.
        equal: Results that are there with the very same value.
        differing: ``asset, point, time, expected, value`` of all others; a null says on which side it is missing.
        repeated: Records of the topic that another record of the same result replaced or repeated.
    """

    expected: int
    equal: int
    differing: pl.DataFrame
    repeated: int

    @property
    def holds(self) -> bool:
        """Whether nothing is missing, nothing is too much and every value is right."""
        return self.equal == self.expected and self.differing.is_empty()


def expected_frame(expected: Expected) -> pl.DataFrame:
    """The expected results as ``asset, point, time, expected``."""
    wide = pl.from_pandas(expected.extremes.reset_index()).rename({"window_start": "time"} | POINTS)
    return wide.unpivot(
        on=list(POINTS.values()), index=["asset", "time"], variable_name="point", value_name="expected"
    ).select("asset", "point", "time", "expected")


def compare(expected: pl.DataFrame, results: pl.DataFrame, records: int) -> Comparison:
    """Compare ``asset, point, time, expected`` with the results at their highest revision.

    Args:
        expected: From :func:`expected_frame`.
        results: ``asset, point, time, value``, one row a result.
        records: Records that the topic held in all.
    """
    keys = ["asset", "point", "time"]
    joined = expected.join(results.select(*keys, "value"), on=keys, how="full", coalesce=True)
    differing = joined.filter(pl.col("expected").ne_missing(pl.col("value")))
    return Comparison(expected.height, joined.height - differing.height, differing, records - results.height)


def latest_expected(expected: pl.DataFrame) -> pl.DataFrame:
    """What Redis must hold: of each asset and point the result with the latest time."""
    return expected.sort("time").unique(["asset", "point"], keep="last")
