"""Results as records: the bytes that leave for Kafka and Redis, built column by column."""

import polars as pl

# Integers of this size and beyond do not fit an i64; they are written like floats (1e+19), which JSON reads as numbers.
_I64_LIMIT = 2.0**63


def encode(results: pl.DataFrame, org_id: str) -> pl.DataFrame:
    """Write results as one-point records.

    Args:
        results: a template's results (``RESULTS``); ``quality i64`` and ``dq i64`` may stand beside them.
        org_id: the OU's id.

    Returns:
        A row for each result, in their order: ``asset str`` (the message's key), ``point str`` (``model::point``),
        ``time i64`` (epoch ms, the message's timestamp), ``value str`` (the result's value as JSON: a number, a text, a
        truth value or null) and ``record str`` (the whole record as JSON).
    """
    org = pl.DataFrame({"org": [org_id]}).select(_quoted("org")).item()
    record = pl.concat_str(
        pl.lit(f'{{"orgId":{org},"modelId":"'),
        "model",
        pl.lit('","modelIdPath":'),
        _quoted("model_path"),
        pl.lit(',"assetId":'),
        _quoted("asset"),
        pl.lit(',"pointId":"'),
        "point",
        pl.lit('","time":'),
        "time",
        pl.lit(',"value":'),
        _value(),
        pl.lit(',"quality":'),
        *_qualities(results),
        pl.lit(',"attr":'),
        "attr",
        pl.lit("}"),
    )
    name = pl.concat_str("model", pl.lit("::"), "point")
    return results.select("asset", point=name, time="time", value=_value(), record=record)


def latest(encoded: pl.DataFrame) -> pl.DataFrame:
    """Keep of ``encode``'s rows the newest of each asset and point, the last one where times are equal."""
    newest = encoded.sort("time", maintain_order=True).unique(["asset", "point"], keep="last", maintain_order=True)
    return newest.sort("asset", "point")


def _qualities(results: pl.DataFrame) -> list[pl.Expr]:
    """Return the quality, and ``dq`` where there is one; 0 where results have no qualities."""
    if "quality" not in results.columns:
        return [pl.lit("0")]
    written = pl.concat_str(pl.lit(',"dq":'), pl.col("dq").cast(pl.String))
    return [pl.col("quality").cast(pl.String), written.fill_null("")]


def _value() -> pl.Expr:
    """Return the value as JSON: ``text`` where there is one, else a number, null where that is not finite."""
    value = pl.col("value")
    is_int = pl.col("is_int") & (value.abs() < _I64_LIMIT)
    digits = pl.when(is_int).then(value).cast(pl.Int64, strict=False).cast(pl.String)
    decimal = pl.when(value.is_finite()).then(value.cast(pl.String))
    return pl.coalesce("text", digits, decimal, pl.lit("null"))


def _quoted(column: str) -> pl.Expr:
    """Return a string column as JSON strings, quotes included."""
    # {"x":"..."} without the braces and the name.
    return pl.struct(pl.col(column).alias("x")).struct.json_encode().str.slice(5).str.strip_suffix("}")
