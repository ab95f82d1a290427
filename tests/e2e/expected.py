"""What devices send in the run of all templates, and what each job has to make of it, reckoned by hand."""

from __future__ import annotations

from datetime import datetime

Key = tuple[str, str, int]
"""Asset, point and time of a result."""

MODEL = "Meter"
SITE = "north"


def at(text: str) -> int:
    """``2024-03-04T10:00`` in UTC as epoch milliseconds."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


D4, D5, D6 = "2024-03-04", "2024-03-05", "2024-03-06"
ATTRIBUTES = {
    "m-1": {"Ratio": 2, "MaxSlope": 50, "Site": SITE},
    "m-2": {"Ratio": 1, "MaxSlope": 12, "Site": SITE},
}
# Asset, point, then times and values in the order of their arrival.
SERIES: list[tuple[str, str, list[tuple[str, float]]]] = [
    (
        "m-1",
        "Reading",
        [
            (f"{D4}T10:01", 10),
            (f"{D4}T10:04", 14.5),
            (f"{D4}T10:05", 1000),  # outside the threshold of both policies
            (f"{D4}T10:09", 12),
            (f"{D4}T10:12", 20),
            (f"{D4}T10:18", 17),
            (f"{D4}T10:02", 11),  # late for both
            (f"{D4}T10:30", 99),
        ],
    ),
    ("m-2", "Reading", [(f"{D4}T10:02", -5), (f"{D4}T10:08", 3), (f"{D4}T10:15", 7), (f"{D4}T10:30", 99)]),
    (
        "m-1",
        "Register",
        [
            (f"{D4}T10:00", 100),
            (f"{D4}T11:00", 110),
            (f"{D4}T12:00", 125),
            (f"{D5}T00:30", 140),
            (f"{D6}T06:00", 150),
        ],
    ),
    (
        "m-2",
        "Register",
        [
            (f"{D4}T10:00", 0),
            (f"{D4}T11:00", 10),
            (f"{D4}T12:00", 30),  # 20 an hour, which is steeper than MaxSlope
            (f"{D5}T00:30", 35),
            (f"{D6}T06:00", 36),
        ],
    ),
    (
        "m-1",
        "Power",
        [
            (f"{D4}T10:00", 4),
            (f"{D4}T10:30", 6),
            (f"{D4}T11:00", 2),
            (f"{D5}T10:00", 1),  # after a gap of 23 hours
            (f"{D5}T11:00", 3),
            (f"{D6}T10:00", 5),
        ],
    ),
    ("m-1", "B", [(f"{D4}T10:00", 3)]),
    ("m-1", "A", [(f"{D4}T10:01", 12), (f"{D4}T10:02", 5)]),
    ("m-1", "B", [(f"{D4}T10:03", 7)]),
    ("m-1", "A", [(f"{D4}T10:04", 20)]),
]
REPLAYED: list[tuple[str, str, list[tuple[str, float]]]] = [
    ("m-1", "Reading", [("2100-01-01T00:00", 1), ("2100-01-01T00:30", 3), ("2100-01-01T01:30", 9)])
]

RESULTS: dict[str, dict[Key, float]] = {
    "extremes": {
        ("m-1", "MaxReading10Min", at(f"{D4}T10:00")): 14.5,
        ("m-1", "MaxReading10Min", at(f"{D4}T10:10")): 20,
        ("m-1", "MinReading10Min", at(f"{D4}T10:00")): 10,
        ("m-1", "MinReading10Min", at(f"{D4}T10:10")): 17,
        ("m-2", "MaxReading10Min", at(f"{D4}T10:00")): 3,
        ("m-2", "MaxReading10Min", at(f"{D4}T10:10")): 7,
        ("m-2", "MinReading10Min", at(f"{D4}T10:00")): -5,
        ("m-2", "MinReading10Min", at(f"{D4}T10:10")): 7,
    },
    # The differences that were accepted, times Ratio; what ends after midnight is of the new day.
    "meter-energy": {
        ("m-1", "RegisterDay", at(f"{D4}T00:00")): (10 + 15) * 2,
        ("m-1", "RegisterDay", at(f"{D5}T00:00")): 15 * 2,
        ("m-2", "RegisterDay", at(f"{D4}T00:00")): 10,
        ("m-2", "RegisterDay", at(f"{D5}T00:00")): 5,
    },
    # Each difference by itself; the last reading of m-1 fails the stage's precondition.
    "growth": {
        ("m-1", "Growth", at(f"{D4}T11:00")): 10 * 2,
        ("m-1", "Growth", at(f"{D4}T12:00")): 15 * 2,
        ("m-1", "Growth", at(f"{D5}T00:30")): 15 * 2,
        ("m-2", "Growth", at(f"{D4}T11:00")): 10,
        ("m-2", "Growth", at(f"{D5}T00:30")): 5,
        ("m-2", "Growth", at(f"{D6}T06:00")): 1,
    },
    # Each value holds for the time since the one before it.
    "instant-energy": {
        ("m-1", "InstantDay", at(f"{D4}T00:00")): 6 * 0.5 + 2 * 0.5,
        ("m-1", "InstantDay", at(f"{D5}T00:00")): 3 * 1,
    },
    "average-energy": {
        ("m-1", "AverageDay", at(f"{D4}T00:00")): (4 + 6) / 2 * 0.5 + (6 + 2) / 2 * 0.5,
        ("m-1", "AverageDay", at(f"{D5}T00:00")): (1 + 3) / 2,
    },
    "merged": {
        ("m-1", "Merged", at(f"{D4}T10:01")): (12 - 3) * 2,
        ("m-1", "Merged", at(f"{D4}T10:02")): 3 * 2 * 2,
        ("m-1", "Merged", at(f"{D4}T10:04")): (20 - 7) * 2,
    },
    "replayed": {("m-1", "MeanReadingHour", at("2100-01-01T00:00")): (1 + 3) / 2},
}
# Extremes of the last ten minutes that were closed.
DIFFERENCE = {"m-1": 20 - 17, "m-2": 7 - 7}
