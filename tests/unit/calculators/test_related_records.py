"""Calculators that bring records of several points together."""

from typing import Any

from unit.calculators.pipelines import Sent, run, stage


def test_related_records_are_the_latest_of_the_same_asset() -> None:
    obtainer = stage("related-record-obtainer", input="M::A", related=["M::B", "M::C"], output="M::D")
    found = run(
        [obtainer], [Sent("B", 1, 1), Sent("B", 2, 2), Sent("B", 2, 9, "m2")], [Sent("A", 3, 5), Sent("C", 4, 7)]
    )
    assert found.values("assetId", "pointId", "value") == [("m1", "D", 5)]
    (related,) = found.attached("relatedRecordObtainer")
    assert [(each["point"], each["value"]) for each in related] == [("M::B", 2.0)]


def restorer(**more: Any) -> dict[str, Any]:
    return stage("record-restorer", point="M::A", trigger="M::B", output="M::C", **more)


def test_what_was_captured_is_restored_at_the_triggers_time() -> None:
    found = run([restorer()], [Sent("B", 1, 0), Sent("A", 2, 5), Sent("B", 3, 0)], [Sent("B", 4, 0), Sent("A", 3, 1)])
    assert found.values("pointId", "time", "value") == [("C", 3, 5), ("C", 4, 5)]
    assert found.counted["missing"] == 1


def test_a_text_is_restored_as_a_text() -> None:
    assert run([restorer()], [Sent("A", 2, "on"), Sent("B", 3, 0)]).values("value") == [("on",)]


def test_what_is_too_old_is_missing() -> None:
    found = run([restorer(maxAge="1s")], [Sent("A", 0, 5), Sent("B", 1000, 0), Sent("B", 1001, 0)])
    assert found.values("time") == [(1000,)]
    assert found.counted["missing"] == 1


def test_records_of_one_asset_and_time_become_one() -> None:
    merger = stage("batch-merger", inputs=["M::A", "M::B"], output="M::C")
    found = run([merger], [Sent("A", 1, 5), Sent("B", 1, 6), Sent("A", 2, 7), Sent("A", 1, 8, "m2")])
    assert sorted(found.values("assetId", "time", "value")) == [("m1", 1, 6), ("m1", 2, 7), ("m2", 1, 8)]
    merged = [[(each["point"], each["value"]) for each in told] for told in found.attached("crossBatch")]
    assert [("M::A", 5.0), ("M::B", 6.0)] in merged
