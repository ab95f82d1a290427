"""What meters send, made from numbers alone: in each round every meter sends one message with one point of the job's.

Round ``r`` is at ``START_MS + r * period_ms``. A last round, the closing one, may lie far beyond: it closes what is
open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

MODEL = "Meter"
START_MS = 1_767_308_400_000  # 2026-01-01T23:00:00Z: an hour before midnight, a window's start
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: its multiples' upper bits look random
_PADDING_VALUE = 12.5

Values = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Padding:
    """What makes messages longer than the job needs.

    Attributes:
        points: further points in each message, which the job does not read.
        text: length of a text beside the payload.
        is_bare: leave out what a message may leave out.
    """

    points: int = 1
    text: int = 0
    is_bare: bool = False

    @property
    def head(self) -> str:
        """The message up to its asset."""
        named = "" if self.is_bare else f'"orgId":"o15724268000000","modelIdPath":"/{MODEL}",'
        note = f'"note":"{"x" * self.text}",' if self.text else ""
        return f'{{{named}{note}"modelId":"{MODEL}","payload":[{{"assetId":"'

    @property
    def tail(self) -> str:
        """The message after the point's value."""
        return "".join(f',"Other{number}":{_PADDING_VALUE}' for number in range(self.points)) + "}}]}"


@dataclass(frozen=True)
class Stream:
    """The meters of one measurement.

    Attributes:
        values: of all meters in a round.
        rounds: without the closing one.
        points: round ``r`` sends ``points[r % len(points)]``.
        closing_ms: time of the closing round after START_MS; None: there is none.
    """

    values: Callable[[Numbers, int], Values]
    meters: int
    rounds: int
    period_ms: int
    points: tuple[str, ...] = ("Reading",)
    closing_ms: int | None = None
    padding: Padding = Padding()

    @property
    def all_rounds(self) -> range:
        """The numbers of all rounds, the closing one included."""
        return range(self.rounds + (self.closing_ms is not None))

    @property
    def messages(self) -> int:
        """Without those of the closing round."""
        return self.meters * self.rounds

    def time_ms(self, round_number: int) -> int:
        if round_number == self.rounds and self.closing_ms is not None:
            return START_MS + self.closing_ms
        return START_MS + round_number * self.period_ms

    def point(self, round_number: int) -> str:
        return self.points[round_number % len(self.points)]

    def of_round(self, round_number: int) -> Values:
        """The values of one round, meter by meter, as they are written."""
        return self.values(np.arange(self.meters, dtype=np.int64), round_number)

    def assets(self) -> pl.Series:
        return pl.Series("asset", [f"mtr{number:07d}" for number in range(self.meters)])

    def texts(self, round_number: int) -> pl.Series:
        """The messages of one round."""
        middle = f'","time":{self.time_ms(round_number)},"measurepoints":{{"{self.point(round_number)}":'
        frame = pl.DataFrame([self.assets(), pl.Series("value", self.of_round(round_number))])
        text = pl.concat_str(pl.lit(self.padding.head), "asset", pl.lit(middle), "value", pl.lit(self.padding.tail))
        return frame.select(text).to_series()

    @property
    def message_bytes(self) -> int:
        """Length of a message, about."""
        return round(sum(map(len, self.texts(0)[:100])) / min(100, self.meters))


def mixed(meters: Numbers, round_number: int, span: int) -> Numbers:
    """Numbers from 0 to ``span`` that look random, the same at each call."""
    numbers = (meters.astype(np.uint64) << np.uint64(20)) + np.uint64(round_number)
    return ((numbers * _GOLDEN >> np.uint64(24)) % np.uint64(span)).astype(np.int64)


def noise(meters: Numbers, round_number: int) -> Values:
    """From -1 to 1001 in thousandths: two of a thousand are outside of [0, 1000)."""
    return (mixed(meters, round_number, 1_002_000) - 1000) / 1000


def power(meters: Numbers, round_number: int) -> Values:
    """From 0 to 12.5 in thousandths: one of 25 is outside of [0, 12]."""
    return mixed(meters, round_number, 12_500) / 1000


def register(meters: Numbers, round_number: int) -> Values:
    """A meter's reading: it grows by a quarter to three quarters a round, and by 1000 more each 97th."""
    jumps = 1000.0 * ((meters + round_number) // 97)
    values: Values = 0.5 * round_number + 0.25 * mixed(meters, round_number, 2) + jumps
    return values
