"""What the pages about expressions and thing models say is true."""

import re
from pathlib import Path

import pytest
import yaml

from streamjob_api.data_types import ValueType
from streamjob_api.expressions import Expression, ExpressionError, value_type
from streamjob_api.points import PointRef
from streamjob_api.thing_models import InvalidThingModels, ThingModels

DOCS = Path(__file__).parents[3] / "docs"
EXPRESSIONS = (DOCS / "expressions.md").read_text()
THING_MODELS = (DOCS / "thing-models.md").read_text()
TYPES = {
    "M::count": ValueType.INT,
    "M::power": ValueType.DOUBLE,
    "M::name": ValueType.TEXT,
    "M::on": ValueType.BOOLEAN,
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def told(text: str) -> list[str]:
    def type_of(ref: PointRef) -> ValueType | None:
        return TYPES.get(str(ref))

    try:
        return [str(fault) for fault in value_type(Expression.parse(text), type_of).faults]
    except ExpressionError as error:
        return [str(fault) for fault in error.faults]


def refused() -> list[tuple[str, list[str]]]:
    examples: list[tuple[str, list[str]]] = []
    for line in blocks(EXPRESSIONS, "text")[1].splitlines():
        if line.startswith("    "):
            examples[-1][1].append(line.strip())
        else:
            examples.append((line, []))
    return examples


@pytest.mark.parametrize("text", blocks(EXPRESSIONS, "text")[0].splitlines())
def test_the_first_examples_are_expressions(text: str) -> None:
    assert Expression.parse(text).variables


@pytest.mark.parametrize(
    ("text", "expected"), re.findall(r"^\| `(.*)` \| (int|double|string|bool) \|$", EXPRESSIONS, re.MULTILINE)
)
def test_expressions_have_the_types_of_the_table(text: str, expected: str) -> None:
    assert value_type(Expression.parse(text), lambda ref: TYPES[str(ref)]).type == expected


def test_the_table_of_types_is_not_overlooked() -> None:
    assert len(re.findall(r"\| (int|double|string|bool) \|$", EXPRESSIONS, re.MULTILINE)) == 6


@pytest.mark.parametrize(("text", "faults"), refused())
def test_faults_read_as_the_page_says(text: str, faults: list[str]) -> None:
    assert faults
    assert told(text) == faults


def test_the_example_of_thing_models_is_read() -> None:
    manifest = yaml.safe_load(blocks(THING_MODELS, "yaml")[0])
    models = ThingModels.parse(manifest["data"]["models.yaml"])
    assert models.value_type(PointRef("ElectricMeter", "Reading")) is ValueType.DOUBLE


def test_the_faults_of_thing_models_read_as_the_page_says() -> None:
    with pytest.raises(InvalidThingModels) as raised:
        ThingModels.parse(blocks(THING_MODELS, "yaml")[1])
    assert raised.value.faults == blocks(THING_MODELS, "text")[0].splitlines()
