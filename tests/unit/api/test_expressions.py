"""What is an expression, what is none, and what its author reads then."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from streamjob_api.expressions import MAX_DEPTH, MAX_LENGTH, Expression, ExpressionError, Position, parse, printed
from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable
from streamjob_api.points import PointRef

A, B = Variable(PointRef("M", "a")), Variable(PointRef("M", "b"))
ONE, TWO, THREE = Number(1), Number(2), Number(3)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("${M::a}", A),
        ("${ M::a }", A),
        ("12", Number(12)),
        (".5", Number(0.5)),
        ("2.5e-3", Number(0.0025)),
        ("1e3", Number(1000.0)),
        ("9223372036854775807", Number(2**63 - 1)),
        ("true", Boolean(True)),
        ('"it\'s"', Text("it's")),
        (r"'it\'s\t\\'", Text("it's\t\\")),
        ("'${M::a}'", Text("${M::a}")),
        ("1 + 2 * 3", Binary("+", ONE, Binary("*", TWO, THREE))),
        ("(1 + 2) * 3", Binary("*", Binary("+", ONE, TWO), THREE)),
        ("1 - 2 - 3", Binary("-", Binary("-", ONE, TWO), THREE)),
        ("1 / 2 % 3", Binary("%", Binary("/", ONE, TWO), THREE)),
        ("-${M::a} * 2", Binary("*", Unary("-", A), TWO)),
        ("2--1", Binary("-", TWO, Unary("-", ONE))),
        ("!${M::a} == ${M::b}", Binary("==", Unary("!", A), B)),
        ("${M::a} > 1 + 2", Binary(">", A, Binary("+", ONE, TWO))),
        ("${M::a} || ${M::b} && true", Binary("||", A, Binary("&&", B, Boolean(True)))),
        ("${M::a} | ${M::b}", Binary("||", A, B)),
        ("max(1, 2, min(${M::a}, 3))", Call("max", (ONE, TWO, Call("min", (A, THREE))))),
        ("abs(-1);", Call("abs", (Unary("-", ONE),))),
        ("if (${M::a}) { 1; } else { 2 };", Conditional(A, ONE, TWO)),
        (
            "if(${M::a}){1}else if(${M::b}){2}else{3}",
            Conditional(A, ONE, Conditional(B, TWO, THREE)),
        ),
        (
            "if (true) { if (false) { 1 } else { 2 } } else { 3 }",
            Conditional(Boolean(True), Conditional(Boolean(False), ONE, TWO), THREE),
        ),
        ("1 + (if (${M::a}) { 1 } else { 2 })", Binary("+", ONE, Conditional(A, ONE, TWO))),
    ],
)
def test_expressions_bind_as_usual(text: str, tree: Node) -> None:
    assert repr(parse(text)) == repr(tree)  # unlike ==, repr tells 1 from 1.0


POINT = "a point is written ${model::point}"
FAULTS = [
    ("", "column 1: the expression is empty; write a calculation, as in ${Meter::A} * 2"),
    (" \n ", "column 1: the expression is empty; write a calculation, as in ${Meter::A} * 2"),
    ("1 +", "column 4: the expression ends here, expected a value"),
    ("1 +\n\n", "column 4: the expression ends here, expected a value"),
    ("(1 + 2", "column 7: the expression ends here, expected ')'"),
    ("max(1", "column 6: the expression ends here, expected ')' or ','"),
    ("1 2", "column 3: found '2', expected an operator or the end"),
    ("* 2", "column 1: found '*', expected a value"),
    ("+2", "column 1: found '+', expected a value"),
    ("()", "column 2: found ')', expected a value"),
    ("1.5.2", "column 4: found '.2', expected an operator or the end"),
    ("max(1, 2,)", "column 10: found ')', expected a value"),
    ("1 +\n* 2", "line 2, column 1: found '*', expected a value"),
    (
        "1 < 2 < 3",
        "column 7: found '<', expected an operator or the end; comparisons cannot be chained, write a < b && b < c",
    ),
    (
        "(1 == 2 != true)",
        "column 9: found '!=', expected an operator or ')'; comparisons cannot be chained, write a < b && b < c",
    ),
    (
        "if (max(1 <= 2 < 3, 1) > 0) { 1 } else { 2 }",
        "column 16: found '<', expected an operator, ')' or ','; comparisons cannot be chained, write a < b && b < c",
    ),
    ("1 <> 2", "column 4: found '>', expected a value"),
    ("${M::a} = 1", "column 9: found '='; compare with '=='"),
    ("true & false", "column 6: found '&'; write '&&' for and"),
    ("true and false", "column 6: found 'and', expected an operator or the end; write '&&' for and"),
    ("true OR false", "column 6: found 'OR', expected an operator or the end; write '||' for or"),
    ("not true", "column 5: found 'true', expected an operator or the end; write '!' for not"),
    ("1 ^ 2", "column 3: found '^'; it has no meaning here"),
    ("if (true) { 1 }", "column 16: the expression ends here, expected 'else'; each 'if' needs its 'else'"),
    ("if (true) { 1 } + 2", "column 17: found '+', expected 'else'; each 'if' needs its 'else'"),
    ("if (true) 1 else 2", "column 11: found '1', expected '{'"),
    ("if true { 1 } else { 2 }", "column 4: found 'true', expected '('"),
    ("if (true) { } else { 2 }", "column 13: found '}', expected a value"),
    (
        "if (true) { 1 } else { 2 } * 3",
        "column 28: found '*', expected the end; put the 'if' in parentheses to calculate with its value",
    ),
    ("1; 2", "column 4: found '2', expected the end; an expression is one calculation, without statements"),
    ("if (true) { 1; 2 } else { 3 }", "column 16: found '2', expected '}'"),
    ("M::a + 1", f"column 2: found ':'; {POINT}"),
    ("{M::a} + 1", f"column 1: found '{{', expected a value; {POINT}"),
    ("${M::a + 1", f"column 1: found '$'; {POINT}, with both braces on one line"),
    (
        "${a} + 1",
        "column 1: '${a}' names no point or attribute; write ${model::point}, as in ${ElectricMeter::Reading}",
    ),
    ("speed * 2", f"column 1: unknown word 'speed'; {POINT}, a text in quotes"),
    ("True", "column 1: unknown word 'True'; did you mean 'true'?"),
    ("mxa(1, 2)", "column 1: unknown function 'mxa'; did you mean 'max'?"),
    ("sqrt(1)", "column 1: unknown function 'sqrt'; the functions are abs, max, min"),
    ("max(1)", "column 1: 'max' takes two values or more; given: 1"),
    ("abs(1, 2)", "column 1: 'abs' takes one value; given: 2"),
    ("min()", "column 1: 'min' takes two values or more; given: 0"),
    ('"abc', "column 1: found '\"': the text that begins here is not closed on its line"),
    ("'a\\qb'", "column 1: '\\q' in a text has no meaning; known are \\\\ \\\" \\' \\n \\r \\t"),
    ("\u201ca\u201d", "column 1: found '\u201c'; write texts in straight quotes"),
    (
        "9223372036854775808",
        "column 1: '9223372036854775808' is too large for an integer; write it as '9223372036854775808.0'",
    ),
    ("1e400", "column 1: '1e400' is too large; numbers go up to about 1.8e308"),
    ("1" * 5000, f"column 1: the expression has 5000 characters; at most {MAX_LENGTH}"),
    ("a" * 50 + " b", "column 52: found 'b', expected an operator or the end"),
    ("1 " + "a" * 50, f"column 3: found '{'a' * 40}...', expected an operator or the end"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_says_where_what_was_found_and_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    assert str(raised.value) == message


def test_line_and_column_are_attributes() -> None:
    with pytest.raises(ExpressionError) as raised:
        parse("1 +\r\n  2 3")
    assert (raised.value.line, raised.value.column) == (2, 5)


def test_wrong_names_are_told_all_at_once_in_the_order_of_the_text() -> None:
    with pytest.raises(ExpressionError) as raised:
        parse("foo(speed) + ${x}")
    assert [fault.position.column for fault in raised.value.faults] == [1, 5, 14]
    assert raised.value.column == 1


def test_parts_know_their_place() -> None:
    tree = parse("${M::a}\n  + abs(${M::b})")
    assert isinstance(tree, Binary)
    assert (tree.position, tree.right.position) == (Position(2, 3), Position(2, 5))


@pytest.mark.parametrize("unit", ["!", "-", "1 + ", "abs(", "if (true) { "])
def test_depth_is_limited(unit: str) -> None:
    end = {"abs(": ")", "if (true) { ": " } else { 1 }"}.get(unit, "")

    def nested(times: int) -> str:
        return unit * times + "1" + end * times

    parse(nested(MAX_DEPTH - 1))
    with pytest.raises(ExpressionError, match=r"more than 100 .* in parentheses"):
        parse(nested(MAX_DEPTH))


def test_a_long_chain_fits_when_it_is_put_in_parentheses() -> None:
    part = f"({' + '.join(['${M::a}'] * 40)})"
    assert parse(" + ".join([part] * 9))


@pytest.mark.parametrize(
    "text", ["(" * 4000, "(" * 2000 + "1" + ")" * 2000, "-" * 4096, "{" * 4096, "if(" * 1300, "\\" * 4096]
)
def test_hostile_texts_are_answered_quickly(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(ExpressionError):
        parse(text)
    assert time.process_time() - start < 1


def test_a_manifest_holds_the_text_and_its_schema_limits_the_length() -> None:
    adapter = TypeAdapter(Expression)
    expression = adapter.validate_python("${M::a} - ${M::b} * ${M::a}")
    assert expression.variables == {PointRef("M", "a"), PointRef("M", "b")}
    assert adapter.dump_python(expression) == "${M::a} - ${M::b} * ${M::a}"
    assert adapter.json_schema() == {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}


@pytest.mark.parametrize(
    ("value", "message"), [(5, "write an expression, as in"), ("1 +", "column 4: the expression ends here")]
)
def test_a_model_refuses_what_is_no_expression(value: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Expression).validate_python(value)


def test_expressions_are_equal_when_their_texts_are() -> None:
    assert Expression.parse("1 + 2") == Expression.parse("1 + 2")
    assert Expression.parse("1 + 2") != Expression.parse("1+2")
    assert parse("1 + 2") == parse("1+2")


def test_the_grammar_is_found_from_any_folder(tmp_path: Path) -> None:
    code = "from streamjob_api.expressions import parse, printed; print(printed(parse('(1)+2')))"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "operator")}
    assert subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, env=environment) == b"1 + 2\n"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "( (${M::a}) - (1 - .5) )*2 >= - (3) | !(true) && ('x' == \"y\")",
            '(${M::a} - (1 - 0.5)) * 2 >= -3 || !true && "x" == "y"',
        ),
        ("(1 < 2) == (3 < 4)", "(1 < 2) == (3 < 4)"),
        ("(1 - 2) - (3 - 4)", "1 - 2 - (3 - 4)"),
        ("-(-1) * (-(2 * 3))", "--1 * -(2 * 3)"),
        ("(if(true){(1)}else{(if(false){2}else{3});})", "if (true) { 1 } else if (false) { 2 } else { 3 }"),
        ("1+(if(true){1}else{2})", "1 + (if (true) { 1 } else { 2 })"),
        ("max ( ( 1 ) , 2 )", "max(1, 2)"),
    ],
)
def test_canonical_text_has_no_needless_parentheses(text: str, canonical: str) -> None:
    assert printed(parse(text)) == canonical
