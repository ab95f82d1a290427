"""The types of expressions and the faults in them."""

import pytest

from streamjob_api.data_types import ValueType
from streamjob_api.expressions import Expression, value_type, variable_types
from streamjob_api.points import PointRef

INT, DOUBLE, TEXT, BOOLEAN = ValueType.INT, ValueType.DOUBLE, ValueType.TEXT, ValueType.BOOLEAN
TYPES = {"M::i": INT, "M::d": DOUBLE, "M::t": TEXT, "M::b": BOOLEAN}


def type_of(ref: PointRef) -> ValueType | None:
    return TYPES.get(str(ref))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${M::i} + 1", INT),
        ("${M::i} - 1", INT),
        ("${M::i} * 2", INT),
        ("${M::i} % 2", INT),
        ("${M::i} / 2", DOUBLE),
        ("${M::i} + 1.0", DOUBLE),
        ("1e3", DOUBLE),
        ("-${M::i}", INT),
        ("-${M::d}", DOUBLE),
        ("${M::t} + 'x'", TEXT),
        ("!${M::b}", BOOLEAN),
        ("${M::b} && ${M::i} > ${M::d} || true", BOOLEAN),
        ("${M::t} < 'm'", BOOLEAN),
        ("${M::b} == false", BOOLEAN),
        ("max(${M::i}, 2)", INT),
        ("min(${M::i}, 2, ${M::d})", DOUBLE),
        ("abs(-${M::i})", INT),
        ("if (${M::b}) { 1 } else { 2 }", INT),
        ("if (${M::b}) { 1 } else if (true) { 2.5 } else { 3 }", DOUBLE),
        ("if (${M::b}) { 'on' } else { 'off' }", TEXT),
        ("${M::unknown}", None),
        ("${M::unknown} + 1", None),
        ("${M::unknown} + 1.5", DOUBLE),
        ("${M::unknown} + 'x'", TEXT),
        ("${M::unknown} / 2", DOUBLE),
        ("${M::unknown} > 2", BOOLEAN),
        ("${M::unknown} == ${M::t}", BOOLEAN),
        ("if (${M::unknown}) { ${M::unknown} } else { ${M::other} }", BOOLEAN),
        ("if (${M::unknown} == 'x') { ${M::unknown} } else { ${M::other} }", TEXT),
        ("${M::i} / (2 - 1)", DOUBLE),
        ("1 / ${M::i}", DOUBLE),
    ],
)
def test_the_type_of_a_value(text: str, expected: ValueType | None) -> None:
    checked = value_type(Expression.parse(text), type_of)
    assert (checked.type, checked.faults) == (expected, ())


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("${M::t} * 2", ["column 9: '*' needs numbers, but '${M::t}' is a text"]),
        ("${M::t} - ${M::b}", ["column 9: '-' needs numbers, but '${M::t}' is a text and '${M::b}' is true or false"]),
        ("1 + 'x'", ["column 3: '+' adds numbers or joins texts, but '1' is a number and '\"x\"' is a text"]),
        ("true + 1", ["column 6: '+' adds numbers or joins texts, but 'true' is true or false and '1' is a number"]),
        ("true + ${M::unknown}", ["column 6: '+' adds numbers or joins texts, but 'true' is true or false"]),
        ("-'x'", ["column 1: '-' needs numbers, but '\"x\"' is a text"]),
        ("!1", ["column 1: '!' needs true or false, but '1' is a number"]),
        ("${M::i} && true", ["column 9: '&&' needs true or false, but '${M::i}' is a number"]),
        ("true | 'x'", ["column 6: '||' needs true or false, but '\"x\"' is a text"]),
        ("1 == 'x'", ["column 3: '==' compares values of one kind, but '1' is a number and '\"x\"' is a text"]),
        (
            "true < false",
            ["column 6: '<' compares numbers or texts, but 'true' is true or false and 'false' is true or false"],
        ),
        ("max(1, 'x', true)", ["column 1: 'max' needs numbers, but '\"x\"' is a text and 'true' is true or false"]),
        ("if (1) { 2 } else { 3 }", ["column 1: 'if' needs true or false, but '1' is a number"]),
        (
            "if (true) { 1 } else { 'x' }",
            ["column 1: 'if' gives values of two kinds: '1' is a number and '\"x\"' is a text"],
        ),
        (
            "if (${M::unknown}) { ${M::unknown} } else { 1 }",
            ["column 1: 'if' gives values of two kinds: '${M::unknown}' is true or false and '1' is a number"],
        ),
        (
            "${M::unknown} * 2 > 1 && ${M::unknown} == 'x'",
            ["column 15: '*' needs numbers, but '${M::unknown}' is a text"],
        ),
        ("1 / 0", ["column 3: division by zero: '0' is always 0"]),
        ("1 % (2 * 3 - 6.0)", ["column 3: division by zero: '2 * 3 - 6.0' is always 0"]),
        ("${M::i} / -(1 / 4 - 0.25)", ["column 9: division by zero: '-(1 / 4 - 0.25)' is always 0"]),
    ],
)
def test_faults_name_operator_operand_and_kind(text: str, faults: list[str]) -> None:
    assert [str(fault) for fault in value_type(Expression.parse(text), type_of).faults] == faults


def test_all_faults_are_told_once_with_their_lines() -> None:
    text = "if (${M::i}) {\n  ${M::t} * 2\n} else {\n  (${M::t} * 2 + 1) / 0\n}"
    assert [str(fault) for fault in value_type(Expression.parse(text), type_of).faults] == [
        "line 1, column 1: 'if' needs true or false, but '${M::i}' is a number",
        "line 2, column 11: '*' needs numbers, but '${M::t}' is a text",
        "line 4, column 12: '*' needs numbers, but '${M::t}' is a text",
        "line 4, column 21: division by zero: '0' is always 0",
    ]


def test_a_long_operand_is_shortened() -> None:
    text = "(" + " + ".join(["${M::t}"] * 20) + ") * 2"
    (fault,) = value_type(Expression.parse(text), type_of).faults
    assert "...' is a text" in fault.message
    assert len(fault.message) < 120


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("${M::p} + ${M::q}", [DOUBLE, DOUBLE]),
        ("${M::p} + ${M::q} + 'x'", [TEXT, TEXT]),
        ("${M::p} == ${M::q} && ${M::q}", [BOOLEAN, BOOLEAN]),
        ("if (${M::p} == 'on') { 1 } else { ${M::q} }", [TEXT, DOUBLE]),
        ("if (${M::p}) { ${M::q} } else { 'off' }", [BOOLEAN, TEXT]),
        ("if (true) { ${M::p} } else { ${M::q} }", [DOUBLE, DOUBLE]),
        ("${M::p} == ${M::t} && ${M::q} != ${M::d}", [TEXT, DOUBLE]),
        ("max(${M::p}, 1) > 2 || ${M::q}", [DOUBLE, BOOLEAN]),
    ],
)
def test_a_variable_of_no_known_type_is_what_it_is_used_as(text: str, types: list[ValueType]) -> None:
    found = variable_types(Expression.parse(text), type_of)
    assert [found[PointRef("M", name)] for name in "pq"] == types
