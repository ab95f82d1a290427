"""Expressions over columns give what walking the tree row by row gives"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.expressions import NoValue, evaluate, is_integer
from streamjob_api.expressions import parse
from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable
from streamjob_api.points import PointRef
from streamjob_runtime.expressions import Column, Fault, calculated

A, B, C = (PointRef("M", name) for name in "abc")
REASONS = {
    Fault.NONE: None,
    Fault.MISSING: "missing",
    Fault.DIVISION_BY_ZERO: "DivisionByZero",
    Fault.NOT_FINITE: "NotFinite",
}
PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text()
Row = Mapping[PointRef, int | float]


def columns(rows: Sequence[Row], refs: Sequence[PointRef] = (A, B, C)) -> dict[PointRef, Column]:
    """Rows as columns; a variable that a row does not have is missing."""
    return {
        ref: Column(
            np.array([float(row.get(ref, math.nan)) for row in rows]),
            np.array([isinstance(row.get(ref, 0), int) for row in rows]),
            np.array([Fault.NONE if ref in row else Fault.MISSING for row in rows], np.uint8),
        )
        for ref in refs
    }


def compiled(text: str | Node, *rows: Row) -> list[float | int | str]:
    """What an expression gives for each row."""
    tree = parse(text) if isinstance(text, str) else text
    return values(calculated(tree, columns(rows), len(rows)))


def values(column: Column) -> list[float | int | str]:
    """The values of a column, integers as such, or why there is none; zero without its sign."""
    given = zip(column.value.tolist(), column.is_int.tolist(), column.fault.tolist(), strict=True)
    return [REASONS[Fault(fault)] or (int(value) if is_int else value + 0) for value, is_int, fault in given]


def walked(tree: Node, row: Row) -> float | int | str:
    """The same by the oracle."""
    try:
        value = evaluate(tree, row)
    except NoValue as none:
        return str(none)
    integers = {ref: isinstance(value, int) for ref, value in row.items()}
    assert not isinstance(value, str)
    return int(value) if is_integer(tree, integers) else value + 0


@pytest.mark.parametrize(
    ("text", "row", "wanted"),
    [
        ("${M::a} + ${M::b} * 2", {A: 1, B: 3}, 7),
        ("${M::a} - ${M::b}", {A: 1.5, B: 3}, -1.5),
        ("${M::a} / 49", {A: 49}, 1.0),
        ("${M::a} / 2", {A: 7}, 3.5),
        ("${M::a} % 3", {A: -7}, -1),
        ("7 % ${M::a}", {A: -3}, 1),
        ("${M::a} % 3", {A: 10**17}, 10**17 % 3),
        ("${M::a} / ${M::b}", {A: 1, B: 0}, "DivisionByZero"),
        ("${M::a} % ${M::b}", {A: 1, B: 0}, "DivisionByZero"),
        ("${M::a} / ${M::b}", {A: 1}, "missing"),
        ("${M::a} * 1e10", {A: 1e300}, "NotFinite"),
        ("1 / (${M::a} * 1e10)", {A: 1e300}, "NotFinite"),
        ("${M::b} + ${M::a} / 0.0", {A: 1.0}, "missing"),
        ("${M::a} / ${M::b} + ${M::c}", {A: 1, B: 0}, "DivisionByZero"),
        ("if (${M::a} == 0) { 0 } else { 10 / ${M::a} }", {A: 0}, 0.0),
        ("if (${M::a} == 0) { ${M::b} } else { 10 }", {A: 1}, 10),
        ("if (${M::b} == 0) { 1 } else { 2 }", {A: 1}, "missing"),
        ("if (${M::a} != 0 && 6 / ${M::a} > 2) { 1 } else { 2 }", {A: 0}, 2),
        ("if (${M::a} == 0 || 6 / ${M::a} > 2) { 1 } else { 2 }", {A: 0}, 1),
        ("if (6 / ${M::a} > 2 || ${M::a} == 0) { 1 } else { 2 }", {A: 0}, "DivisionByZero"),
        ("if (!(${M::a} < 1) && true) { -${M::a} } else { 0 }", {A: 2}, -2),
        ("max(${M::a}, ${M::b}, 2)", {A: 1, B: 5}, 5),
        ("max(${M::a}, 2.0)", {A: 3}, 3.0),
        ("min(abs(${M::a}), 4)", {A: -3}, 3),
        ("if (0.1 + 0.2 == ${M::a}) { 1 } else { 0 }", {A: 0.3}, 0),
        ('if ("a" + "b" == "ab" && "a" < "b") { ${M::a} } else { 0 }', {A: 3}, 3),
    ],
)
def test_an_expression_gives_its_value_or_the_first_reason_for_having_none(
    text: str, row: Row, wanted: float | str
) -> None:
    (given,) = compiled(text, row)
    assert (given, type(given)) == (wanted, type(wanted))
    assert walked(parse(text), row) == wanted


WORDS = {
    "nothing: missing": "missing",
    "nothing: division by zero": "DivisionByZero",
    "nothing: too large": "NotFinite",
}
TABLE = re.findall(r"^\| `(.*)` \| (.*) \|$", PAGE.partition("`M::none` never sent")[2], re.MULTILINE)


@pytest.mark.parametrize(("text", "gives"), TABLE[:10])
def test_the_table_of_the_page_is_true(text: str, gives: str) -> None:
    row = {A: 7, B: -2.5, PointRef("M", "zero"): 0}
    known = columns([row], [*row, PointRef("M", "none")])
    column = calculated(parse(text), known, 1)
    assert [WORDS.get(gives, gives)] == [str(value) for value in values(column)]


def test_each_row_takes_its_own_branch() -> None:
    rows: list[Row] = [{A: 20, B: 5}, {A: 5, B: 20}, {A: 20}, {B: 1}, {A: 11.0, B: 1}]
    text = "if (${M::a} > 10) { ${M::a} - ${M::b} } else { ${M::b} * 2 }"
    assert compiled(text, *rows) == [15, 40, "missing", "missing", 10.0]


NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**53), 2**53),
    st.floats(-10, 10),
    st.sampled_from([0.0, -0.0, 0.1, 1e-300, 1e200, -1e200, 1.7e308]),
)
LITERALS = st.one_of(st.integers(0, 3), st.floats(0, 10), st.sampled_from([0.1, 49, 1e200, 2**62])).map(Number)
NUMERIC_LEAVES: st.SearchStrategy[Node] = LITERALS | st.sampled_from([A, B, C]).map(Variable)
TEXTS = st.sampled_from(["", "a", "ab", "é"]).map(Text)


def numeric(depth: int) -> st.SearchStrategy[Node]:
    """Trees whose value is a number."""
    if not depth:
        return NUMERIC_LEAVES
    part, condition = numeric(depth - 1), boolean(depth - 1)
    return st.one_of(
        NUMERIC_LEAVES,
        st.builds(Binary, st.sampled_from("+-*/%"), part, part),
        st.builds(Binary, st.sampled_from("+-*/%"), part, part),
        st.builds(Unary, st.just("-"), part),
        st.builds(Conditional, condition, part, part),
        part.map(lambda argument: Call("abs", (argument,))),
        st.builds(Call, st.sampled_from(["max", "min"]), st.lists(part, min_size=2, max_size=3).map(tuple)),
    )


def boolean(depth: int) -> st.SearchStrategy[Node]:
    """Trees whose value is true or false."""
    if not depth:
        return st.booleans().map(Boolean)
    part, number = boolean(depth - 1), numeric(depth - 1)
    text = TEXTS | st.builds(Binary, st.just("+"), TEXTS, TEXTS) | st.builds(Conditional, part, TEXTS, TEXTS)
    comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.builds(Binary, comparisons, number, number),
        st.builds(Binary, comparisons, text, text),
        st.builds(Binary, st.sampled_from(["==", "!="]), part, part),
        st.builds(Binary, st.sampled_from(["&&", "||"]), part, part),
        st.builds(Unary, st.just("!"), part),
        st.builds(Conditional, part, part, part),
    )


ROWS = st.lists(
    st.tuples(*[st.none() | NUMBERS] * 3).map(
        lambda values: {ref: value for ref, value in zip((A, B, C), values, strict=True) if value is not None}
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(tree=numeric(4), rows=ROWS)
def test_columns_give_what_walking_the_tree_gives(tree: Node, rows: list[Row]) -> None:
    given, wanted = compiled(tree, *rows), [walked(tree, row) for row in rows]
    assert list(map(repr, given)) == list(map(repr, wanted))
