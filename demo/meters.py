"""A week of smart meters, made from measured consumption.

Two measured British households (half-hourly energy, 2012-2014, from the package that ``data-requirements.txt`` names)
are cumulated into meter registers. Each simulated meter replays a week of one of them, shifted in phase, so that no two
are alike; duplicated stamps and gaps of the measurements stay as they are.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

REQUIREMENTS = Path(__file__).with_name("data-requirements.txt")
SAMPLES = ("uk-electricity-hdd-only-hourly-sample-1.csv.gz", "uk-electricity-hdd-only-hourly-sample-2.csv.gz")
HALF_HOUR_MS = 1_800_000
DAY_MS = 86_400_000
# Monday 2013-03-04T00:00:00Z: the simulated week's first instant.
WEEK_START_MS = 1_362_355_200_000


@dataclass(frozen=True)
class Week:
    """What is simulated.

    Attributes:
        meters: Number of meters.
        days: Length in days.
        step_ms: Time between two readings of a meter.
        delayed: Share of readings that arrive up to 40 minutes after later ones.
        very_late: Share of readings that arrive 2 to 3 hours late, which is beyond the demo job's latency.
        faulty: Share of readings that are -1, as a meter with a failed register sends.
        seed: Of everything random; the same week gives the same readings.
    """

    meters: int = 1000
    days: int = 7
    step_ms: int = 300_000
    delayed: float = 0.02
    very_late: float = 0.0005
    faulty: float = 0.001
    seed: int = 20130304


def fetch(folder: Path) -> list[Path]:
    """Bring the measured meters into ``folder`` unless they are there; returns the files."""
    files = [folder / "opendsm" / "eemeter" / "samples" / name for name in SAMPLES]
    if not all(file.exists() for file in files):
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(folder)]
        subprocess.run([*command, "--python", sys.executable, "-r", str(REQUIREMENTS)], check=True)
    return files


def register(file: Path, step_ms: int) -> pl.DataFrame:
    """Cumulate one household's half-hourly energy into readings of its register.

    Between two measured half hours the register is read every ``step_ms``, moving evenly; where a half hour is missing,
    there are no readings; where one is stamped twice, there are two.

    Returns:
        ``time i64 (epoch ms), reading f64 (kWh, whole Wh)``, in the order of the file.
    """
    measured = pl.read_csv(file, try_parse_dates=True).select(
        time=pl.col("start").dt.epoch("ms"), energy=pl.col("value").fill_null(0.0).clip(0.0)
    )
    steps = HALF_HOUR_MS // step_ms
    return (
        measured.with_columns(before=pl.col("energy").cum_sum() - pl.col("energy"), step=pl.lit(list(range(steps))))
        .explode("step")
        .select(
            time=pl.col("time") + pl.col("step") * step_ms,
            reading=(pl.col("before") + pl.col("energy") * pl.col("step") / steps).round(3),
        )
    )


def readings(week: Week, files: list[Path]) -> pl.DataFrame:
    """All readings of the week, in the order in which they arrive.

    Returns:
        ``asset str, time i64 (epoch ms, event time), reading f64 (kWh), arrival i64 (epoch ms)``.
    """
    registers = [register(file, week.step_ms) for file in files]
    generator = np.random.default_rng(week.seed)
    meters = [_meter(index, registers[index % len(registers)], week, generator) for index in range(week.meters)]
    everything = _disordered(pl.concat(meters), week, generator)
    return everything.sort("arrival", "asset", maintain_order=True)


def _meter(index: int, source: pl.DataFrame, week: Week, generator: np.random.Generator) -> pl.DataFrame:
    """A week of one meter: a stretch of its household that begins somewhere else for each meter."""
    length = week.days * DAY_MS
    begin = int(generator.choice(_beginnings(source["time"].to_numpy(), length, week.step_ms)))
    stretch = source.filter(pl.col("time").is_between(begin, begin + length, closed="left"))
    # Meters read at different seconds of the minute; every fourth at second 0, on the first millisecond of a window.
    phase = int(generator.integers(0, 60)) * 1000 if index % 4 else 0
    return stretch.select(
        asset=pl.lit(f"meter-{index:05d}"),
        time=pl.col("time") - begin + WEEK_START_MS + phase,
        reading=(pl.col("reading") - stretch["reading"][0]).round(3),
    )


def _beginnings(times: np.ndarray, length_ms: int, step_ms: int) -> np.ndarray:
    """Half hours after which the household was measured for at least half of the length (there are gaps of weeks)."""
    starts = np.arange(times[0], times[-1] - length_ms, HALF_HOUR_MS)
    found = np.searchsorted(times, starts + length_ms) - np.searchsorted(times, starts)
    return starts[found >= length_ms / step_ms / 2]


def _disordered(readings: pl.DataFrame, week: Week, generator: np.random.Generator) -> pl.DataFrame:
    draws = generator.random((3, readings.height))
    delay = np.where(draws[0] < week.delayed, draws[1] * 40 * 60_000, 0.0)
    delay = np.where(draws[0] > 1 - week.very_late, (2 + draws[1]) * 3_600_000, delay)
    return readings.with_columns(
        arrival=pl.col("time") + pl.Series(delay.astype(np.int64)),
        reading=pl.when(pl.Series(draws[2] < week.faulty)).then(-1.0).otherwise(pl.col("reading")),
    )
