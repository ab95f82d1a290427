"""Changes of connections and of sites as results."""

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.templates.protocols import RESULTS


def connection_results(changed: pl.DataFrame, output: PointRef | None) -> pl.DataFrame:
    """Return RESULTS: ``online`` or ``offline``, at the time of the change.

    Args:
        changed: rows of a ``DeviceTable``.
        output: the point that is written; None: none is.
    """
    if output is None or not changed.height:
        return RESULTS.to_frame()
    return changed.select(
        "asset",
        model=pl.lit(output.model),
        model_path=pl.when(pl.col("model_path") == "").then(pl.lit(f"/{output.model}")).otherwise("model_path"),
        point=pl.lit(output.point),
        time="since",
        value=pl.lit(None, pl.Float64),
        is_int=pl.lit(value=False),
        attr=_attributes(since="since", lastSeen="seen"),
        text=pl.when("is_online").then(pl.lit('"online"')).otherwise(pl.lit('"offline"')),
    )


def site_results(states: pl.DataFrame, output: PointRef | None) -> pl.DataFrame:
    """Return RESULTS: the number of devices online, on an asset that has the site's name.

    Args:
        states: SITE_STATES.
        output: the point that is written; None: none is.
    """
    if output is None or not states.height:
        return RESULTS.to_frame()
    return states.select(
        asset="site",
        model=pl.lit(output.model),
        model_path=pl.lit(f"/{output.model}"),
        point=pl.lit(output.point),
        time="time",
        value=pl.col("online").cast(pl.Float64),
        is_int=pl.lit(value=True),
        attr=_attributes(online="online", offline="offline"),
        text=pl.lit(None, pl.String),
    )


def _attributes(**columns: str) -> pl.Expr:
    """Return a record's ``attr``: numbers by name, each from a column."""
    parts = [part for name, column in columns.items() for part in (pl.lit(f',"{name}":'), pl.col(column))]
    first = next(iter(columns))
    return pl.concat_str(pl.lit(f'{{"deviceState":{{"{first}":'), *parts[1:], pl.lit("}}"))
