"""Dead letters as rows, on their way from the source and from stages to the topic."""

import polars as pl

DEAD_LETTERS = pl.Schema(
    {
        "topic": pl.String,
        "partition": pl.Int32,
        "offset": pl.Int64,
        "reason": pl.String,
        "detail": pl.String,
        "key": pl.Binary,
        "value": pl.Binary,
        "size": pl.Int64,  # bytes of the message's value, of which ``value`` may be the beginning
        "stage": pl.String,  # of a pipeline, that could not handle a record; null of a message that cannot be read
    }
)
