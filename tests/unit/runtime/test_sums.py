"""Sums that do not depend on the order of their terms."""

import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_runtime.templates.sums import PARTS, split, total

MODERATE = st.floats(-(2.0**60), 2.0**60)


def parts_of(values: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return pl.DataFrame({"value": values}).select(split(pl.col("value"))).select(PARTS).to_numpy().T


@settings(max_examples=60, deadline=None)
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_the_parts_of_a_value_add_up_to_it_exactly(value: float) -> None:
    assert math.fsum(parts_of([value])[:, 0].tolist()) == value


@settings(max_examples=60, deadline=None)
@given(values=st.lists(MODERATE, min_size=1, max_size=50), seed=st.randoms(use_true_random=False))
def test_the_order_of_terms_shows_nowhere(values: list[float], seed: object) -> None:
    shuffled = sorted(values, key=lambda _: seed.random())  # type: ignore[attr-defined]
    exact = math.fsum(values)
    for order in (values, shuffled):
        parts = np.array([[math.fsum(row)] for row in parts_of(order)])
        summed = np.add.reduce(parts_of(order), axis=1, keepdims=True)
        assert summed[:2].tolist() == parts[:2].tolist(), "coarse and fine parts are exact in any order"
        assert math.isclose(total(summed)[0], exact, rel_tol=1e-9, abs_tol=1e-15)
