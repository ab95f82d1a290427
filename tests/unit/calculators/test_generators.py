"""Records made by the clock, and for other records."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl
import pytest
from pydantic import ValidationError

from streamjob_api.points import PointRef
from streamjob_calculators.kit import Run
from streamjob_calculators.kit.ticks import ticked
from unit.calculators.pipelines import START, Sent, job, run, stage

MINUTE = 60_000
VIRTUAL, MADE = "virtual-record-generator", "record-generator"


def clock(name: str = "ticks", **parameters: Any) -> dict[str, Any]:
    return stage(VIRTUAL, name=name, points=["M::A"], every="1m", output="M::Tick", **parameters)


def made(value: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return stage(MADE, name="made", points=["M::A"], output="M::B", value=value) | (
        {"parameters": {"points": ["M::A"], "output": "M::B", "value": value, **parameters}}
    )


def test_each_known_asset_has_a_record_at_each_tick() -> None:
    sent = [Sent("A", 1_000, 5), Sent("A", 2_000, 5, "m2"), Sent("A", 2 * MINUTE, 6)]
    found = run([clock()], sent[:1], sent[1:])
    assert sorted(found.values("assetId", "pointId", "time", "value")) == [
        (asset, "Tick", number * MINUTE, 1) for asset in ("m1", "m2") for number in (1, 2)
    ]
    assert [record["attr"] for record in found.records] == [{}] * 4
    assert "stage.missedTicks" not in found.counted


def test_an_asset_has_its_first_record_at_the_tick_behind_it() -> None:
    assert run([clock()], [Sent("A", 1_000, 5), Sent("A", 59_999, 5)]).values("time") == []
    assert run([clock()], [Sent("A", 0, 5), Sent("A", MINUTE, 5)]).values("time") == [(MINUTE,)]


def test_ticks_trigger_what_comes_behind_them() -> None:
    stages = [
        clock(),
        stage(
            "latest-record-merger",
            "ticks",
            "source",
            name="merge",
            inputs=[{"point": "M::Tick", "trigger": True}, {"point": "M::A"}],
            expression="${M::A} * ${M::Tick}",
            output="M::B",
        ),
    ]
    found = run(stages, [Sent("A", 1_000, 5)], [Sent("A", MINUTE + 1, 7)], [Sent("A", 3 * MINUTE, 9)])
    assert found.values("pointId", "time", "value") == [("B", MINUTE, 5), ("B", 2 * MINUTE, 7), ("B", 3 * MINUTE, 7)]


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ({"trigger": True}, [5, 7, 5.5]),
        ({"increment": {"start": 10, "step": 5}}, [10, 15, 10]),
        ({"increment": {"step": 0.5}}, [0, 0.5, 0]),
        ({"sequence": [3, 1]}, [3, 1, 3]),
        ({"time": True}, [START + 1, START + 2, START + 3]),
        ({"text": 'a "check"'}, ['a "check"'] * 3),
    ],
)
def test_each_record_triggers_one_with_a_value_of_the_asset(value: dict[str, Any], values: list[Any]) -> None:
    sent = [Sent("A", 1, 5), Sent("A", 2, 7), Sent("A", 3, 5.5, "m2")]
    for batches in ([sent], [[each] for each in sent]):
        found = run([made(value)], *batches)
        assert found.values("pointId", "time", "value") == [
            ("B", each.time, wanted) for each, wanted in zip(sent, values, strict=True)
        ]
        assert {record["attr"]["recordGenerator"]["trigger"] for record in found.records} == {"M::A"}


def test_a_sequence_begins_again() -> None:
    found = run([made({"sequence": [3, 1]})], *([Sent("A", number, 0)] for number in range(5)))
    assert found.values("value") == [(3,), (1,), (3,), (1,), (3,)]


def test_random_numbers_are_those_of_asset_and_time() -> None:
    sent = [Sent("A", number, 0, f"m{number % 7}") for number in range(500)]
    value = {"random": {"low": -5, "high": 5}}
    found = [number for (number,) in run([made(value)], sent).values("value")]
    assert all(-5 <= number < 5 for number in found)
    assert len(set(found)) == 500
    assert abs(sum(found) / 500) < 1
    assert found == [number for (number,) in run([made(value)], sent[:100], sent[100:]).values("value")]


def test_the_clock_triggers_and_counts_on() -> None:
    stages = [made({"increment": {}}, every="1m")]
    sent = [Sent("A", 1, 0), Sent("A", 2, 0, "m2"), Sent("A", 3 * MINUTE, 0)]
    found = run(stages, sent[:2], sent[2:])
    assert sorted(found.values("assetId", "time", "value")) == [
        (asset, (number + 1) * MINUTE, number) for asset in ("m1", "m2") for number in range(3)
    ]
    assert {record["attr"]["recordGenerator"]["trigger"] for record in found.records} == {None}


def test_triggers_of_the_same_time_draw_numbers_of_their_own() -> None:
    generator = made({"random": {"low": 0, "high": 1}}, points=["M::A", "M::C"])
    found = run([generator], [Sent("A", 1, 0), Sent("C", 1, 0)])
    assert len(set(found.values("value"))) == 2


@pytest.mark.parametrize(
    ("value", "more", "fault"),
    [
        ({}, {}, "nothing is given; write one of trigger, latest, random, increment, sequence, time, text"),
        ({"time": True, "trigger": True}, {}, "trigger and time are given; write one of"),
        ({"random": {"low": 5, "high": 5}}, {}, "must be below high, 5"),
        ({"increment": {"start": 1e308}}, {}, "must be at least -9007199254740992 and at most 9007199254740992"),
        ({"trigger": True}, {"every": "1m"}, "the clock has no value"),
        ({"time": True}, {"every": "2h"}, "2h"),
    ],
)
def test_what_makes_no_sense_is_told(value: dict[str, Any], more: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        job([made(value, **more)])


@dataclass
class Turn:
    """A stage's turn at a time of the clock."""

    now_ms: int
    kept: pl.DataFrame | None = None
    counts: Counter[str] = field(default_factory=Counter)
    woken: list[int] = field(default_factory=list)

    def recall(self) -> pl.DataFrame | None:
        return self.kept

    def count(self, name: str, records: int) -> None:
        self.counts[name] += records

    def wake(self, at_ms: int) -> None:
        self.woken.append(at_ms)


def test_of_ticks_that_went_by_the_last_one_is_made() -> None:
    none = pl.DataFrame(schema={"asset": pl.String, "model_path": pl.String})
    kept = pl.DataFrame({"asset": ["m1", "m2"], "model_path": "/M", "tick": [0, 4 * MINUTE]})
    turn = Turn(5 * MINUTE + 7, kept)
    due, known = ticked(none, cast("Run", turn), MINUTE, PointRef("M", "Tick"))
    assert due.rows() == [("m1", "/M", 5 * MINUTE), ("m2", "/M", 5 * MINUTE)]
    assert known["tick"].to_list() == [5 * MINUTE] * 2
    assert (turn.counts["missedTicks"], turn.woken) == (4, [6 * MINUTE])
    again = Turn(5 * MINUTE + 7, known)
    assert ticked(none, cast("Run", again), MINUTE, PointRef("M", "Tick")).due.is_empty()
    assert not again.counts
