"""Records of a pipeline's stages as results."""

import polars as pl

from streamjob_runtime.templates.protocols import RESULTS

# A record's own columns; all others are parts of ``attr``.
RECORD = ("asset", "point", "model_path", "time", "value", "is_int", "text", "quality", "dq")
# What a pipeline's results have beside RESULTS.
PIPELINE_RESULTS = pl.Schema({**RESULTS, "quality": pl.Int64, "dq": pl.Int64})


def pipeline_results(records: pl.DataFrame) -> pl.DataFrame:
    """Return records as PIPELINE_RESULTS: what stages added is their ``attr``, and null where a record has none of it."""
    attached = [name for name in records.columns if name not in RECORD]
    attr = pl.struct(attached).struct.json_encode() if attached else pl.lit("{}")
    name = pl.col("point").cast(pl.String)
    given = {
        "model": name.str.split_exact("::", 1).struct[0],
        "point": name.str.split_exact("::", 1).struct[1],
        "attr": attr,
        "quality": pl.col("quality") if "quality" in records.columns else pl.lit(0),
        "dq": pl.col("dq") if "dq" in records.columns else pl.lit(None),
    }
    return records.select(
        given.get(column, pl.col(column)).cast(kind).alias(column) for column, kind in PIPELINE_RESULTS.items()
    )
