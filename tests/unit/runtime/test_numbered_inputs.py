"""Records are given the numbers of their inputs, whether a chunk holds one point or many."""

import polars as pl
import pytest

from streamjob_api.points import PointRef
from streamjob_runtime.templates.inputs import NumberedInputs
from streamjob_runtime.templates.series_numbers import SeriesNumbers

A, B, C = PointRef("Meter", "A"), PointRef("Meter", "B"), PointRef("Pump", "A")


def chunk(*points: PointRef) -> pl.DataFrame:
    return pl.DataFrame(
        [(point.model, point.point, number) for number, point in enumerate(points)],
        schema={"model": pl.String, "point": pl.String, "time": pl.Int64},
        orient="row",
    )


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([B, B, B], [(0, 1), (1, 1), (2, 1)]),
        ([C, C], []),
        ([B, A, B], [(0, 1), (1, 0), (2, 1)]),
        ([A, C, B], [(0, 0), (2, 1)]),  # the same point of another model
        ([A, A, PointRef("Meter", "C")], [(0, 0), (1, 0)]),
        ([], []),
    ],
)
def test_each_record_is_given_the_place_of_its_input(points: list[PointRef], expected: list[tuple[int, int]]) -> None:
    rows = NumberedInputs.of([A, B]).select(chunk(*points))
    assert rows.columns == ["model", "point", "time", "input"]
    assert rows.schema["input"] == pl.Int32
    assert rows.select("time", "input").rows() == expected


def test_a_path_that_all_records_share_is_that_of_each() -> None:
    """Also after others, and before others; the last path of an asset stays."""
    numbers = SeriesNumbers(1)
    for assets, paths in (("ab", ["/x", "/y"]), ("bc", ["/x", "/x"]), ("d", ["/y"]), ("ad", ["/z", "/y"])):
        numbers.of(pl.DataFrame({"asset": list(assets), "model_path": paths, "input": [0] * len(assets)}))
    named = numbers.named().sort("asset")
    assert named.select("asset", "model_path").rows() == [("a", "/z"), ("b", "/x"), ("c", "/x"), ("d", "/y")]
    assert named["slot"].to_list() == [0, 1, 2, 3]
