"""Records beside what is known of their series, the records of one asset and point."""

from __future__ import annotations

from collections.abc import Sequence

from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.columns import pl

SERIES = ("asset", "point")
# Whether a row is of an earlier micro-batch.
EARLIER = "earlier"


def after_earlier(records: pl.DataFrame, run: Run, columns: Sequence[str]) -> pl.DataFrame:
    """Return what the stage kept of each series, then the records, as one frame.

    Args:
        records: of this micro-batch.
        run: the stage's.
        columns: what is kept of a series beside its name.

    Returns:
        ``earlier bool`` and the records' columns; of earlier rows all but the kept ones are null.
    """
    here = records.with_columns(pl.lit(False).alias(EARLIER))
    kept = run.recall()
    if kept is None:
        return here
    series = [pl.col("point").cast(records.schema["point"]), *(pl.col(name) for name in ("asset", *columns))]
    return pl.concat([kept.select(*series, pl.lit(True).alias(EARLIER)), here], how="diagonal")


def told_text() -> pl.Expr:
    """Return texts and truth values as ``attr`` tells them: as texts."""
    return pl.col("text").str.json_decode(pl.String)


def keep_last(rows: pl.DataFrame, run: Run, columns: Sequence[str | pl.Expr]) -> None:
    """Keep of each series its last row.

    Args:
        rows: as ``after_earlier`` gives them.
        run: the stage's.
        columns: what is kept beside the series' name.
    """
    last = rows.unique(SERIES, keep="last", maintain_order=True)
    run.keep(last.select("asset", pl.col("point").cast(pl.String), *columns))


def of_now(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the records alone."""
    return rows.filter(~pl.col(EARLIER)).drop(EARLIER)
