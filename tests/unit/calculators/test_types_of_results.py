"""Types of a pipeline's results, held against the OU's thing models."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from streamjob_api.names import NameCheck
from streamjob_api.templates.pipeline import Pipeline
from streamjob_api.thing_models import ThingModels
from unit.calculators.pipelines import stage

TAG = stage("off-limit-tagger", input="M::A", threshold="[0, 9]", output="M::B")
RENAME = stage("record-formatter", rename=[{"point": "M::A", "as": "M::B"}])
JOIN = stage("record-formatter", rename=[{"point": point, "as": "M::B"} for point in ("M::A", "M::C")])
HIGHEST = stage("fixed-time-window-aggregator", input="M::A", aggregator="max", windowSize="10m", output="M::B")
MEAN = stage("fixed-time-window-aggregator", input="M::A", aggregator="avg", windowSize="10m", output="M::B")
LATEST = stage("record-generator", points=["M::A"], output="M::B", value={"latest": "M::C"})
SCRIPT = stage(
    "python-evaluator", inputs=["M::A"], output="M::B", outputType="string", script="def evaluate(records): ..."
)
FOREIGN = stage("acme/resampler", name="resampler", input="M::A", output="M::B")


def faults(types: Mapping[str, str], stages: Sequence[Mapping[str, Any]]) -> list[str]:
    points = [{"id": name, "type": "AI", "dataType": kind} for name, kind in types.items()]
    names = NameCheck(ThingModels.model_validate({"models": [{"id": "M", "path": "/M", "points": points}]}))
    Pipeline.model_validate({"stages": [*stages]}).check_names(names)
    return [fault.message for fault in names.faults]


@pytest.mark.parametrize(
    ("types", "made", "told"),
    [
        ({"A": "double", "B": "double"}, TAG, ""),
        ({"A": "int", "B": "long"}, TAG, ""),
        ({"A": "int", "B": "double"}, HIGHEST, ""),
        ({"A": "opaque", "B": "string"}, RENAME, ""),
        ({"A": "double", "B": "string"}, TAG, "'M::B' is of data type string, but the stage gives a double"),
        ({"A": "double", "B": "int"}, HIGHEST, "'M::B' is of data type int, but the stage gives a double"),
        ({"A": "int", "B": "int"}, MEAN, "'M::B' is of data type int, but the stage gives a double"),
        ({"A": "double", "B": "string"}, RENAME, "'M::B' is of data type string, but the stage gives a double"),
        ({"A": "string", "B": "double"}, RENAME, "'M::B' is of data type double, but the stage gives a string"),
        ({"A": "double", "B": "double"}, SCRIPT, "'M::B' is of data type double, but the stage gives a string"),
        ({"A": "double", "B": "double", "C": "string"}, JOIN, ""),
        ({"A": "double", "B": "int", "C": "double"}, JOIN, "'M::B' is of data type int, but the stage gives a double"),
        ({"A": "string", "B": "double", "C": "double"}, LATEST, ""),
        ({"A": "string", "B": "double"}, FOREIGN, ""),
    ],
)
def test_a_result_is_of_the_type_of_its_point(types: Mapping[str, str], made: Mapping[str, Any], told: str) -> None:
    found = faults(types, [made])
    assert [fault.partition(";")[0] for fault in found] == ([told] if told else [])


def test_where_stages_of_several_types_meet_nothing_is_known() -> None:
    stages = [
        MEAN | {"name": "mean"},
        {**RENAME, "name": "same"},
        stage("record-filter", "mean", "same", name="both", condition="${record::value} > 0"),
    ]
    assert faults({"A": "int", "B": "int"}, stages) == []
