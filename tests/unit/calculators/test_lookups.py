"""What is known of assets and points, beside records."""

from typing import Any

import pytest
from pydantic import ValidationError

from streamjob_api.points import PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.thing_models import ThingModels
from streamjob_runtime.templates import Surroundings
from streamjob_runtime.templates.asset_values import asset_of
from streamjob_runtime.templates.surroundings import Asset, AttributeValue, NoScalar
from unit.calculators.known import Known
from unit.calculators.pipelines import Outcome, Sent, job, run, stage

ASSETS = {
    "m1": Asset("Meter", "Hall 3", "Europe/Berlin", {"region": "north"}, {"grid": "f1"}, {"grid": ("s1", "s2")}),
    "m2": Asset("Meter", tags={"region": "south"}, parents={"other": "x"}),
}
SENT = [Sent("A", 1, 5), Sent("A", 2, 6, "m2"), Sent("A", 3, 7, "nobody")]


def looked_up(calculator: str, known: Known, name: str, **parameters: Any) -> tuple[list[object], Outcome]:
    stages = [stage(calculator, input="M::A", output="M::B", **parameters)]
    found = run(stages, SENT, surroundings=known.surroundings)
    return [record["attr"][name] for record in found.records], found


def test_tags_attributes_and_names_of_assets_stand_beside_records() -> None:
    attributes: dict[tuple[str, str], AttributeValue] = {("m1", "Meter::Size"): 4, ("m2", "Meter::Size"): NoScalar()}
    told, found = looked_up(
        "asset-lookup",
        Known(ASSETS, attributes),
        "tslAssetLookup",
        attributes=["Meter::Size"],
        tags=["region", "owner"],
        extra=True,
    )
    assert told == [
        {
            "attributes": {"Meter::Size": 4.0},
            "tags": {"region": "north", "owner": None},
            "modelId": "Meter",
            "name": "Hall 3",
            "timezone": "Europe/Berlin",
        },
        {
            "attributes": {"Meter::Size": None},
            "tags": {"region": "south", "owner": None},
            "modelId": "Meter",
            "name": None,
            "timezone": None,
        },
        None,
    ]
    assert found.counted["stage.unknownAsset"] == 1
    assert found.values("pointId", "value") == [("B", 5), ("B", 6), ("B", 7)]


def test_an_attribute_that_is_not_always_a_number_is_told_as_text() -> None:
    attributes: dict[tuple[str, str], AttributeValue] = {("m1", "Meter::Size"): 4, ("m2", "Meter::Size"): True}
    told, _ = looked_up("asset-lookup", Known(ASSETS, attributes), "tslAssetLookup", attributes=["Meter::Size"])
    assert told == [{"attributes": {"Meter::Size": "4"}}, {"attributes": {"Meter::Size": "true"}}, None]


def test_children_and_parents_are_those_of_one_tree() -> None:
    assert looked_up("child-lookup", Known(ASSETS), "tslChildLookup", tree="grid")[0] == [
        {"children": ["s1", "s2"]},
        {"children": []},
        None,
    ]
    attributes: dict[tuple[str, str], AttributeValue] = {("f1", "Feeder::Limit"): 7.5}
    told, found = looked_up(
        "parent-lookup",
        Known(ASSETS, attributes),
        "tslParentLookup",
        tree="grid",
        attributes=["Feeder::Limit"],
    )
    assert told == [
        {"parent": "f1", "attributes": {"Feeder::Limit": 7.5}},
        {"parent": None, "attributes": None},
        None,
    ]
    assert found.counted["stage.unknownAsset"] == 1


def test_records_of_assets_with_some_tags_pass() -> None:
    stages = [
        stage("record-filter", name="north", condition="${record::value} > 1", tags={"region": ["north", "east"]}),
        stage("record-formatter", "north", rename=[{"point": "M::A", "as": "M::B"}]),
    ]
    found = run(stages, [*SENT, Sent("A", 4, 0)], surroundings=Known(ASSETS).surroundings)
    assert found.values("assetId", "value") == [("m1", 5)]
    assert (found.counted["discarded"], found.counted["stage.unknownAsset"]) == (3, 1)
    with pytest.raises(ValidationError, match="nothing is filtered by"):
        job([stage("record-filter", name="none"), stages[1] | {"from": ["none"]}])


@pytest.mark.parametrize("calculator", ["asset-lookup", "child-lookup", "parent-lookup"])
def test_nobody_is_known_where_there_is_no_redis(calculator: str) -> None:
    parameters = {"extra": True} if calculator == "asset-lookup" else {"tree": "grid"}
    found = run([stage(calculator, input="M::A", output="M::B", **parameters)], SENT)
    assert [set(record["attr"].values()) for record in found.records] == [{None}] * 3
    assert found.counted["stage.unknownAsset"] == 3


def test_a_point_has_what_its_thing_model_says() -> None:
    stages = [stage("point-lookup", input="M::A", output="M::B")]
    points = [{"id": "A", "type": "AI", "dataType": "double"}, {"id": "B", "type": "AI", "dataType": "double"}]
    models = ThingModels.model_validate({"models": [{"id": "M", "path": "/M", "points": points}]})
    names = ResolvedNames.of(job(stages), models)
    assert [point.point for point in names.points or ()] == [PointRef("M", "A")]
    assert ResolvedNames.model_validate_json(names.model_dump_json()) == names
    found = run(stages, SENT[:1], surroundings=Surroundings(names=names))
    assert found.records[0]["attr"] == {"tslPointLookup": {"type": "AI", "dataType": "double"}}
    assert run(stages, SENT[:1]).records[0]["attr"] == {"tslPointLookup": None}


def test_what_is_asked_for_twice_or_not_at_all_is_told() -> None:
    with pytest.raises(ValidationError, match="nothing is looked up; write attributes, tags or extra: true"):
        job([stage("asset-lookup", input="M::A", output="M::B")])
    with pytest.raises(ValidationError, match="'region' is listed twice"):
        job([stage("asset-lookup", input="M::A", output="M::B", tags=["region", "region"])])


def test_fields_of_another_form_are_left_out() -> None:
    nothing = dict.fromkeys(("modelId", "name", "timezone", "tags", "parents", "children"))
    assert asset_of(nothing) is None
    written = {
        "modelId": b"Meter",
        "name": b"H\xff",
        "tags": b'{"a": 1, "b": true, "c": [1], "d": null, "e": "x"}',
        "parents": b'{"grid": 7, "site": "s"}',
        "children": b'{"grid": ["x", 3], "site": "no list"}',
    }
    assert asset_of(nothing | written) == Asset(
        "Meter", "H\ufffd", None, {"a": "1", "b": "true", "e": "x"}, {"site": "s"}, {"grid": ("x",)}
    )
    assert asset_of(nothing | {"tags": b"no JSON", "parents": b"[]"}) == Asset()
