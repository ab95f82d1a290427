"""Points under other names, and what of attr goes on."""

import pytest
from pydantic import ValidationError

from unit.calculators.pipelines import Sent, job, run, stage

TAGGER = stage("off-limit-tagger", input="M::A", threshold="[0, 1]")
SENT = [Sent("A", 1, 5), Sent("B", 2, 6), Sent("C", 3, 7)]


def formatter(*before: str, **parameters: object) -> dict[str, object]:
    return stage("record-formatter", *before) | {"parameters": parameters}


def renamed(**points: str) -> list[dict[str, str]]:
    return [{"point": f"M::{point}", "as": f"M::{name}"} for point, name in points.items()]


def test_points_get_their_new_names_and_others_do_not_go_on() -> None:
    found = run([formatter(rename=renamed(A="X", B="X"), tags={"site": "north"})], SENT)
    assert found.values("pointId", "time", "value") == [("X", 1, 5), ("X", 2, 6)]
    assert [record["attr"] for record in found.records] == [{"tags": {"site": "north"}}] * 2


@pytest.mark.parametrize(
    ("keep", "names"), [(None, {"isOutlier", "outlierAttr"}), (["isOutlier"], {"isOutlier"}), ([], set())]
)
def test_of_what_stages_added_goes_on_what_is_kept(keep: list[str] | None, names: set[str]) -> None:
    parameters = {"rename": renamed(A="X")} | ({} if keep is None else {"keep": keep})
    (record,) = run([TAGGER, formatter("off-limit-tagger", **parameters)], SENT[:1]).records
    assert set(record["attr"]) == names


def test_results_and_their_sources_are_known_by_the_new_names() -> None:
    pipeline = job([formatter(rename=renamed(A="X", B="Y"))]).pipeline
    assert pipeline is not None
    assert [(str(edge.input), str(edge.output)) for edge in pipeline.edges()] == [("M::A", "M::X"), ("M::B", "M::Y")]


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "nothing is formatted; write rename, keep or tags"),
        ({"rename": renamed(A="X") * 2}, "'M::A' is listed twice"),
        ({"keep": ["a", "a"]}, "'a' is listed twice"),
        ({"keep": ["tags"], "tags": {"a": "b"}}, "'tags' is what tags adds"),
    ],
)
def test_what_makes_no_sense_is_told(parameters: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        job([formatter(**parameters)])


def test_what_later_stages_need_has_to_be_kept() -> None:
    stages = [
        stage("last-record-appender", name="last", input="M::A"),
        formatter("last", keep=[]),
        stage("cumulant-decomposer", "record-formatter", input="M::A", output="M::B"),
    ]
    with pytest.raises(ValidationError, match="needs what last-record-appender adds"):
        job(stages)
