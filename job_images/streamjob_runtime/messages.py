"""Messages of a topic as columns: the numbers of a job's points, and what became of everything else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from streamjob_api.assets import AssetFilter
from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping, TimeUnit
from streamjob_runtime.asset_filter import passing
from streamjob_runtime.event_times import refusal
from streamjob_runtime.json_reading import Found, Malformed
from streamjob_runtime.message_forms import Form, form_of
from streamjob_runtime.messages_fast import NUMBERS, read

POINTS = NUMBERS
MALFORMED = pl.Schema({"message": pl.UInt32, "reason": pl.String, "detail": pl.String})
REFUSED = pl.Schema({"message": pl.UInt32, "reason": pl.String})
ALL_ASSETS = AssetFilter()
# The bytes of messages in arrival order, or a ``binary`` column of them; null is a tombstone.
Values = Sequence[bytes | None] | pl.Series


@dataclass(frozen=True)
class Decoded:
    """What a batch of messages holds.

    Attributes:
        points: ``message u32`` (index in the batch), ``asset, model, model_path, point str``, ``time i64`` (epoch ms),
            ``value f64`` (finite), ``is_int bool`` (written without fraction and exponent): the accepted values of
            selected points, in arrival order. Where some points may have texts, also ``text str``: the JSON of a text
            or truth value, whose ``value`` is null; null of a number.
        malformed: ``message u32, reason str, detail str``, one row a message that is to be dead-lettered. Readable
            items of such a message are in ``points`` nevertheless.
        refusals: ``message u32, reason str``, one row a value of a selected point that was not accepted, with the
            first reason that applies: NotANumber (null, ...; a string or boolean of a point that may have none),
            InvalidTime, SecondsNotMilliseconds, FutureTime, NotFinite; and, where a mapping finds no point at all in a
            record, NoPoint.
        unused: values of points that are not selected.
        filtered: values of selected points of assets that are left out.
        records: values of selected points found, accepted or refused.
        intermediate: accepted values that were left out (``final_values``).
    """

    points: pl.DataFrame
    malformed: pl.DataFrame
    refusals: pl.DataFrame
    unused: int
    filtered: int
    records: int
    intermediate: int = 0

    @property
    def refused(self) -> dict[str, int]:
        """How many values were not accepted, by reason."""
        return dict(Counter(self.refusals["reason"].to_list()))


def decode(  # noqa: PLR0913 (each is a choice of the job)
    values: Values,
    selected: frozenset[PointRef],
    now_ms: int,
    future_tolerance_ms: int | None,
    *,
    mapping: MessageMapping | None = None,
    assets: AssetFilter = ALL_ASSETS,
    texts: frozenset[PointRef] = frozenset(),
    qualities: bool = False,
) -> Decoded:
    """Decode the values of Kafka messages, in arrival order.

    Args:
        values: the messages.
        selected: the points that the job reads.
        now_ms: the clock against which times in the future are refused.
        future_tolerance_ms: how far a time may lie ahead of ``now_ms``; None checks nothing (offline channel).
        mapping: how the messages are read; None: they have the service's form.
        assets: the assets that the job works on.
        texts: selected points whose values may be texts or truth values.
        qualities: whether points have the column ``quality i64``, 0 where the message says none.
    """
    raw = pl.Series("text", values, dtype=pl.Binary)
    written = _written(raw)
    numbered = pl.DataFrame([written]).with_row_index("message")
    form = form_of(mapping, _pairs(selected), _pairs(texts), qualities=qualities)
    proved = read(numbered.drop_nulls(), form)
    others = pl.concat([numbered.filter(written.is_null()), proved.rest])["message"].sort()
    found, malformed = _read_one_by_one(zip(others, raw.gather(others), strict=True), form)
    numbers = proved.numbers
    if found.message:
        by_one = pl.DataFrame({name: getattr(found, name) for name in numbers.columns}, schema=numbers.schema)
        numbers = pl.concat([numbers, by_one]).sort("message", maintain_order=True)
    kept = passing(numbers, assets)
    may_be_seconds = mapping is None or mapping.time.unit is TimeUnit.MS
    points, refusals = _accepted(kept, refusal(now_ms, future_tolerance_ms, may_be_seconds=may_be_seconds))
    unused, filtered = proved.unused + found.unused, numbers.height - kept.height
    return Decoded(points, malformed, refusals, unused, filtered, kept.height)


def _pairs(points: frozenset[PointRef]) -> frozenset[tuple[str, str]]:
    return frozenset((ref.model, ref.point) for ref in points)


def _written(values: pl.Series) -> pl.Series:
    """Return the messages as strings, null where the bytes are none."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:  # One message that is no UTF-8 fails the cast of all.
        return pl.Series("text", [_text(raw) for raw in values], dtype=pl.String)


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _read_one_by_one(messages: Iterable[tuple[int, bytes | None]], form: Form) -> tuple[Found, pl.DataFrame]:
    found = Found(form.texts)
    faults: list[tuple[int, str, str]] = []
    for index, raw in messages:
        try:
            form.read_message(index, raw, found)
        except Malformed as fault:
            faults.append((index, fault.reason, fault.detail))
    return found, pl.DataFrame(faults, schema=MALFORMED, orient="row")


def _accepted(numbers: pl.DataFrame, time_refusal: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    no_point = pl.when(pl.col("point").is_null()).then(pl.lit("NoPoint"))
    has_value = pl.any_horizontal(pl.col(name).is_not_null() for name in ("value", "text") if name in numbers.columns)
    not_a_number = pl.when(~has_value).then(pl.lit("NotANumber"))
    not_finite = pl.when(~pl.col("value").is_finite()).then(pl.lit("NotFinite"))
    reason = pl.coalesce(no_point, not_a_number, time_refusal, not_finite)
    reasons = numbers.select("message", reason=reason)
    is_accepted = reasons["reason"].is_null()
    if is_accepted.all():
        return numbers, REFUSED.to_frame()
    return numbers.filter(is_accepted), reasons.filter(~is_accepted)
