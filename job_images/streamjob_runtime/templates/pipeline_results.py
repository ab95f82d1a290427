"""Records of a pipeline's stages as results."""

import polars as pl

from streamjob_runtime.templates.protocols import RESULTS

# Records of the source; ``point`` is an enumeration of all the pipeline's points.
RECORDS = pl.Schema(
    {
        "asset": pl.String(),
        "point": pl.Enum([]),
        "model_path": pl.String(),
        "time": pl.Int64(),
        "value": pl.Float64(),
        "is_int": pl.Boolean(),
        "text": pl.String(),
        "quality": pl.Int64(),
        "arrival": pl.UInt32(),
    }
)
# What stages may add to a record itself; all other columns are parts of ``attr``.
OWN = {*RECORDS, "dq"}
# What a pipeline's results have beside RESULTS.
PIPELINE_RESULTS = pl.Schema([*RESULTS.items(), ("quality", pl.Int64()), ("dq", pl.Int64())])


def quality(records: pl.DataFrame) -> pl.Series:
    """Return the quality of each record; 0 of those that a stage made without one."""
    if "quality" not in records.columns:
        return pl.repeat(0, records.height, dtype=pl.Int64, eager=True)
    return records["quality"].fill_null(0)


def pipeline_results(records: pl.DataFrame) -> pl.DataFrame:
    """Return records as PIPELINE_RESULTS; what stages added is their ``attr``, null where a record has none of it."""
    attached = [name for name in records.columns if name not in OWN]
    attr = pl.struct(attached).struct.json_encode() if attached else pl.lit("{}")
    name = pl.col("point").cast(pl.String)
    given: dict[str, pl.Expr | pl.Series] = {
        "model": name.str.split_exact("::", 1).struct[0],
        "point": name.str.split_exact("::", 1).struct[1],
        "attr": attr,
        "quality": quality(records),
        "dq": pl.col("dq") if "dq" in records.columns else pl.lit(None),
    }
    return records.select(
        given.get(column, pl.col(column)).cast(kind).alias(column) for column, kind in PIPELINE_RESULTS.items()
    )
