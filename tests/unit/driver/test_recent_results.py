"""``/results``: the last records of each output."""

import json

import polars as pl

from streamjob_runtime.recent_results import KEPT, RecentResults


def encoded(point: str, numbers: range) -> pl.DataFrame:
    return pl.DataFrame({"point": point, "record": [json.dumps({"n": number}) for number in numbers]})


def test_the_last_hundred_of_each_output_are_kept_oldest_first() -> None:
    recent = RecentResults()
    recent.add(pl.concat([encoded("M::A", range(90)), encoded("M::B", range(3))]))
    recent.add(encoded("M::A", range(90, 130)))
    recent.add(encoded("M::C", range(1000)))
    found = {point: [record["n"] for record in records] for point, records in recent.as_json().items()}
    assert KEPT == 100
    assert found == {"M::A": list(range(30, 130)), "M::B": [0, 1, 2], "M::C": list(range(900, 1000))}
