"""The grammar at work; apart from the parser, since lark takes a tenth of a second to load."""

from functools import cache

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from streamjob_api.expressions.builder import Builder
from streamjob_api.expressions.faults import Fault
from streamjob_api.expressions.syntax_faults import syntax_fault
from streamjob_api.expressions.tree import Node


def built(text: str) -> Node | list[Fault]:
    """The tree of an expression, or why it is none."""
    builder = Builder()
    try:
        parsed = _grammar().parse(text)
    except (UnexpectedCharacters, UnexpectedToken) as error:
        return [syntax_fault(text, error)]
    tree = builder.transform(parsed)
    return builder.faults or tree


@cache
def _grammar() -> Lark:
    # The basic lexer knows every token at every place, so that errors speak of what is there.
    return Lark.open_from_package(__package__, "grammar.lark", parser="lalr", lexer="basic")
