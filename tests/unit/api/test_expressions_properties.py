"""What holds for every expression and every text."""

import re
from itertools import count

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streamjob_api.data_types import ValueType
from streamjob_api.expressions import MAX_DEPTH, MAX_LENGTH, Expression, ExpressionError, parse, printed, value_type
from streamjob_api.expressions.tree import (
    Binary,
    Boolean,
    Call,
    Conditional,
    Node,
    Number,
    Text,
    Unary,
    Variable,
    walk,
)
from streamjob_api.points import PointRef

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)
numbers = st.integers(0, 2**63 - 1) | st.floats(0, allow_nan=False, allow_infinity=False)
variables = st.builds(PointRef, names, names).map(Variable)
leaves = st.one_of(
    numbers.map(lambda value: Number(abs(value))),
    st.text(max_size=10).map(Text),
    st.booleans().map(Boolean),
    variables,
)
ALL = ["||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]


def trees_of(leaves: st.SearchStrategy[Node], unary: list[str], binary: list[str]) -> st.SearchStrategy[Node]:
    def larger(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        some = parts | leaves
        calculated = st.builds(Binary, st.sampled_from(binary), some, some)
        return st.one_of(
            calculated,
            st.builds(Unary, st.sampled_from(unary), parts),
            st.builds(Binary, st.sampled_from(binary), calculated, some),
            st.builds(Binary, st.sampled_from(binary), some, calculated),
            st.builds(Conditional, some, parts, some),
            parts.map(lambda argument: Call("abs", (argument,))),
            st.builds(Call, st.sampled_from(["max", "min"]), st.lists(some, min_size=2, max_size=4).map(tuple)),
        )

    return st.recursive(leaves, larger, max_leaves=25)


trees = trees_of(leaves, ["-", "!"], ALL)
# Texts that come near the language.
NEAR = "${M::a} ${ } { ( ) if else if( ){ }else{ 1 2.5 1e9 ' x && | ! < == = + * / , ; \\ \0 é min"
fragments = st.lists(st.sampled_from([*NEAR.split(), " ", "\n", '"']), max_size=25)
near_texts = fragments.map(" ".join) | fragments.map("".join)


@settings(max_examples=500)
@given(trees)
def test_the_printed_text_of_a_tree_parses_to_the_tree(tree: Node) -> None:
    text = printed(tree)
    assume(len(text) <= MAX_LENGTH)
    assert parse(text) == tree
    assert repr(parse(text)) == repr(tree)  # unlike ==, repr tells 1 from 1.0


def places(text: str) -> set[tuple[int, int]]:
    return {(line, column) for line, of_line in enumerate(text.split("\n"), 1) for column in range(1, len(of_line) + 2)}


@settings(max_examples=500)
@given(near_texts | st.text() | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_an_expression_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        tree = parse(text)
    except ExpressionError as error:
        refused_at = [(error.line, error.column), *((at.position.line, at.position.column) for at in error.faults)]
    else:
        refused_at = []
        assert parse(printed(tree)) == tree
        assert max(depth for _, depth in walk(tree)) <= MAX_DEPTH
    assert set(refused_at) <= places(text)


@given(trees, st.data())
def test_a_tree_of_any_types_is_checked_without_a_crash(tree: Node, data: st.DataObject) -> None:
    text = printed(tree)
    assume(len(text) <= MAX_LENGTH)
    types = st.sampled_from([*ValueType, None])
    checked = value_type(Expression.parse(text), lambda _: data.draw(types))
    positions = [fault.position for fault in checked.faults]
    assert positions == sorted(positions)


# Without "+": it adds or joins, so that a sum as a condition is known to be wrong, whatever its operands are.
@given(trees_of(variables, ["-"], ["-", "*", "%"]))
def test_what_is_calculated_from_unknown_types_fits_everywhere(tree: Node) -> None:
    number = count()
    # Each variable is used once; of one that is used twice one use may contradict the other.
    text = re.sub(r"\$\{[^}]*}", lambda _: f"${{M::v{next(number)}}}", printed(tree))
    checked = value_type(Expression.parse(text), lambda _: None)
    assert (checked.type, checked.faults) == (None, ())


def test_the_deepest_tree_can_be_compared_printed_and_checked() -> None:
    text = "1 - " * (MAX_DEPTH - 1) + "1"
    tree = parse(text)
    assert tree == parse(printed(tree))
    assert hash(tree) == hash(parse(text))
    assert value_type(Expression.parse(text), lambda _: None).type is ValueType.INT
    with pytest.raises(ExpressionError):
        parse("1 - " + text)
