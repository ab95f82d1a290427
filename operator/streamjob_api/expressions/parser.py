"""From text to tree."""

from functools import cache

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from streamjob_api.expressions.builder import Builder
from streamjob_api.expressions.faults import ExpressionError, Fault, Position
from streamjob_api.expressions.syntax_faults import syntax_fault
from streamjob_api.expressions.tree import Node, walk

MAX_LENGTH = 4096  # characters
# Parts within parts, so that whoever walks a tree may do so by recursion; each operator of a chain counts.
MAX_DEPTH = 100


def parse(text: str) -> Node:
    """Parse an expression.

    Raises:
        ExpressionError: saying where the text departs from the language, or which names and numbers are wrong in it.
    """
    if len(text) > MAX_LENGTH:
        raise _error(text, Fault(Position(1, 1), f"the expression has {len(text)} characters; at most {MAX_LENGTH}"))
    if not text.strip():
        raise _error(text, Fault(Position(1, 1), "the expression is empty; write a calculation, as in ${Meter::A} * 2"))
    builder = Builder()
    try:
        parsed = _grammar().parse(text)
    except (UnexpectedCharacters, UnexpectedToken) as error:
        raise _error(text, syntax_fault(text, error)) from None
    tree = builder.transform(parsed)
    if builder.faults:
        raise _error(text, *builder.faults)
    _refuse_depth(text, tree)
    return tree


@cache
def _grammar() -> Lark:
    # The basic lexer knows every token at every place, so that errors speak of what is there.
    return Lark.open_from_package(__package__, "grammar.lark", parser="lalr", lexer="basic")


def _refuse_depth(text: str, tree: Node) -> None:
    for node, depth in walk(tree):
        if depth > MAX_DEPTH:
            message = (
                f"more than {MAX_DEPTH} operators, calls and blocks within one another; "
                "put parts of a long chain in parentheses, as in (a + b) + (c + d)"
            )
            raise _error(text, Fault(node.position, message))


def _error(text: str, *faults: Fault) -> ExpressionError:
    return ExpressionError(sorted(fault.of(text) for fault in faults))
