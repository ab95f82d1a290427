"""Thing models: what models.yaml may hold, and what its author reads when it may not."""

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_api.data_types import DataType, ValueType
from streamjob_api.expressions import Expression, value_type
from streamjob_api.points import PointRef
from streamjob_api.thing_models import MAX_BYTES, Attribute, InvalidThingModels, Point, PointType, ThingModels

METER = """
models:
- id: ElectricMeter
  path: /Meter/ElectricMeter
  points:
  - {id: Reading, type: PI, dataType: double}
  - {id: Switch, type: DI, dataType: BOOL}
  - {id: Blob, type: Generic, dataType: "array<int>"}
  attributes:
  - {id: Ratio, dataType: long}
- id: "007"
  points:
  attributes: ~
- {"id": "on"}
"""
ID = "expected an id of at most 128 letters, digits and . _ -, the first one a letter, digit or _"


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidThingModels) as raised:
        ThingModels.parse(text)
    return raised.value.faults


def ref(text: str) -> PointRef:
    return PointRef.parse(text)


def test_points_and_attributes_are_found_by_their_names() -> None:
    models = ThingModels.parse(METER)
    assert models.point(ref("ElectricMeter::Reading")) == Point(
        id="Reading", type=PointType.PI, data_type=DataType("double")
    )
    assert models.attribute(ref("ElectricMeter::Ratio")) == Attribute(id="Ratio", data_type=DataType("long"))
    assert models.point(ref("ElectricMeter::Ratio")) is None
    assert models.attribute(ref("ElectricMeter::Reading")) is None
    assert models.point(ref("WaterMeter::Reading")) is None


def test_names_are_there_for_suggestions() -> None:
    models = ThingModels.parse(METER)
    assert list(models.models_by_id) == ["ElectricMeter", "007", "on"]
    meter = models.model("ElectricMeter")
    assert meter is not None
    assert list(meter.points_by_id) == ["Reading", "Switch", "Blob"]
    assert list(meter.attributes_by_id) == ["Ratio"]


def test_ids_that_yaml_would_read_as_other_things_stay_what_they_are() -> None:
    assert ThingModels.parse("models: [{id: 007}, {id: on}, {id: 1_0}, {id: 2026-01-31}]").models_by_id.keys() == {
        "007",
        "on",
        "1_0",
        "2026-01-31",
    }


def test_expressions_are_checked_against_them() -> None:
    models = ThingModels.parse(METER)
    checked = value_type(Expression.parse("${ElectricMeter::Switch} + ${ElectricMeter::Ratio}"), models.value_type)
    (fault,) = checked.faults
    assert str(fault).startswith("column 26: '+' adds numbers or joins texts, but '${ElectricMeter::Switch}' is true")
    assert value_type(Expression.parse("${ElectricMeter::Blob} + 1"), models.value_type).faults == ()


@pytest.mark.parametrize(
    ("name", "value_type", "numeric", "integer"),
    [
        ("int", ValueType.INT, True, True),
        ("long", ValueType.INT, True, True),
        ("float", ValueType.DOUBLE, True, False),
        ("Double", ValueType.DOUBLE, True, False),
        ("string", ValueType.TEXT, False, False),
        ("bool", ValueType.BOOLEAN, False, False),
        ("struct", None, False, False),
    ],
)
def test_data_types(name: str, value_type: ValueType | None, numeric: bool, integer: bool) -> None:
    data_type = DataType.parse(name)
    assert (data_type.value_type, data_type.is_numeric, data_type.is_integer) == (value_type, numeric, integer)
    assert str(data_type) == name


def test_all_faults_are_told_at_once_with_path_value_and_remedy() -> None:
    text = """
models:
- id: a b
  path: x
  pints: []
  points:
  - {id: P, type: Generik, dataType: double}
  - {id: P, type: AI}
  - 5
  - {id: Q, type: AI, dataType: ""}
  attributes: [{id: P, datatype: int}]
- {id: M, points: none}
- {id: M}
- points: []
"""
    assert sorted(faults(text)) == sorted(
        [
            f"models[0].id: {ID} (got 'a b')",
            "models[0].path: expected a path, as in /ElectricMeter (got 'x')",
            "models[0].pints: unknown field; did you mean 'points'?",
            "models[0].points[0].type: expected one of AI, DI, PI, Generic (got 'Generik'); did you mean 'Generic'?",
            "models[0].points[1].dataType: required, but missing",
            "models[0].points[1].id: 'P' is already the id of points[0]",
            "models[0].points[2]: expected a mapping with id, type, dataType (got '5')",
            f"models[0].points[3].dataType: '' is no data type; write {DataType.EXAMPLE}",
            "models[0].attributes[0].dataType: required, but missing",
            "models[0].attributes[0].datatype: unknown field; did you mean 'dataType'?",
            "models[0].attributes[0].id: 'P' is already the id of points[0]",
            "models[1].points: expected a list (got 'none')",
            "models[2].id: 'M' is already the id of models[1]",
            "models[3].id: required, but missing",
        ]
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "expected a mapping with models (got nothing)"),
        ("# nothing yet\n", "expected a mapping with models (got nothing)"),
        ("just words", "expected a mapping with models (got 'just words')"),
        ("[]", "expected a mapping with models (got [])"),
        ("models: [", "line 2, column 1: did not find expected node content"),
        ("models:\n- id: a\n   path: /a", "line 3, column 8: mapping values are not allowed in this context"),
        ("models: []\nmodels: []", "line 2, column 1: the field 'models' is given twice"),
        ("models:\n- &m {id: a}\n- *m", "line 3, column 3: the alias '*m' is not accepted; write the value itself"),
        ("models: []\n---\nmodels: []", "line 2, column 1: a second document begins; write one"),
        ("? [models]\n: []", "line 1, column 3: a field's name must be a text"),
        (
            "a: \0",
            "a character that YAML does not allow: unacceptable character #x0000: control characters are not allowed",
        ),
        ("[" * 1_000_000, "line 1, column 21: more than 20 levels of nesting"),
        ("{a: " * 200_000, "line 1, column 81: more than 20 levels of nesting"),
        ("x" * (MAX_BYTES + 1), "1048577 bytes are too many; at most 1048576"),
        ("ä" * (MAX_BYTES // 2 + 1), "1048578 bytes are too many; at most 1048576"),
    ],
)
def test_what_is_no_thing_models_is_refused_with_its_place(text: str, fault: str) -> None:
    start = time.process_time()
    assert faults(text) == [fault]
    assert time.process_time() - start < 5


def test_a_lone_surrogate_is_refused() -> None:
    assert "character that YAML does not allow" in faults("models: \ud800")[0]


def test_a_bomb_of_aliases_expands_to_nothing() -> None:
    layers = "\n".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]" for n in range(1, 9))
    assert faults(f"b0: &b0 [x]\n{layers}") == [
        "line 2, column 10: the alias '*b0' is not accepted; write the value itself"
    ]


def test_tags_create_no_objects() -> None:
    assert faults("models: !!python/object/apply:os.getcwd []\nx: !!python/name:os.system") == ["x: unknown field"]


def test_the_message_of_many_faults_is_short() -> None:
    with pytest.raises(InvalidThingModels, match=r"; and 80 more$") as raised:
        ThingModels.parse("models: [" + "{}, " * 100 + "]")
    assert len(raised.value.faults) == 100


ids = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)
features = st.tuples(st.lists(ids, unique=True, max_size=5), st.integers(0, 5))


@given(st.dictionaries(ids, features, max_size=5), st.booleans())
def test_what_a_yaml_library_writes_is_read_as_it_was(written: dict[str, tuple[list[str], int]], flow: bool) -> None:
    raw = [
        {
            "id": model,
            "points": [{"id": name, "type": "AI", "dataType": "int"} for name in names[:cut]],
            "attributes": [{"id": name, "dataType": "bool"} for name in names[cut:]],
        }
        for model, (names, cut) in written.items()
    ]
    models = ThingModels.parse(yaml.safe_dump({"models": raw}, default_flow_style=flow))
    assert {model.id: (list(model.points_by_id), list(model.attributes_by_id)) for model in models.models} == {
        model: (names[:cut], names[cut:]) for model, (names, cut) in written.items()
    }


NEAR = (
    "models: points: attributes: id: type: dataType: AI int - -- --- [ ] { } , & * ! | > ' % @ # ? : \0 \ufeff é ~ <<:"
)


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from([*NEAR.split(), " ", "\n", "\n  ", "\n- ", '"', "\t"]), max_size=40).map(" ".join)
    | st.text()
    | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        models = ThingModels.parse(text)
    except InvalidThingModels as error:
        told = error.faults
    else:
        told = ["" for model in models.models if model != models.model(model.id)]
        assert told == []
    assert all(told)
