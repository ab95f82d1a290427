"""Which event times are accepted, decided before a record touches any watermark."""

import polars as pl

# Epoch milliseconds below this (1973-03-03) are taken for seconds: in seconds it is the year 5138, so that no present
# time in seconds passes for milliseconds, and history from 1973 on is accepted.
SECONDS_BELOW_MS = 100_000_000_000
# Below this a time is no sensible number of seconds either: they too would lie before 1973-03-03.
INVALID_BELOW = 100_000_000
# 9999-12-31T23:59:59.999Z, the last time that RFC 3339 can write.
LATEST_MS = 253_402_300_799_999


def refusal(now_ms: int, future_tolerance_ms: int | None, *, may_be_seconds: bool = True) -> pl.Expr:
    """Reason for which ``time`` (i64, epoch ms) is refused, null where it is accepted.

    InvalidTime: below INVALID_BELOW, zero and negative among them. SecondsNotMilliseconds: from there up to
    SECONDS_BELOW_MS, if times ``may_be_seconds`` by mistake; else InvalidTime. FutureTime: beyond ``now_ms +
    future_tolerance_ms``; with None (the offline channel) there is no such check, but a time beyond the year 9999 is
    an InvalidTime.
    """
    latest, reason = (
        (LATEST_MS, "InvalidTime") if future_tolerance_ms is None else (now_ms + future_tolerance_ms, "FutureTime")
    )
    time = pl.col("time")
    return (
        pl.when(time < INVALID_BELOW)
        .then(pl.lit("InvalidTime"))
        .when(time < SECONDS_BELOW_MS)
        .then(pl.lit("SecondsNotMilliseconds" if may_be_seconds else "InvalidTime"))
        .when(time > latest)
        .then(pl.lit(reason))
    )
