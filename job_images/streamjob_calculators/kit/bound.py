"""Numbers that attributes of assets give."""

from __future__ import annotations

from streamjob_api.points import AttributeRef
from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.columns import pl


def bound_numbers(records: pl.DataFrame, run: Run, ref: AttributeRef, otherwise: float) -> pl.Series:
    """Return an attribute of each record's asset, where it is a number, f64."""
    assets = records["asset"].unique().to_list()
    found = run.attribute(assets, ref)
    numbers = [
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise for value in found
    ]
    # Of no records, Polars keeps the type of what is replaced.
    return records["asset"].replace_strict(assets, numbers, return_dtype=pl.Float64).cast(pl.Float64)
