"""A tree as canonical text: one line, blanks around operators, no needless parentheses."""

from streamjob_api.expressions.builder import ESCAPES
from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable

_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
_LEVEL = {operator: level for level, operators in enumerate(_LEVELS, start=1) for operator in operators}
_CONDITIONAL, _COMPARISON, _UNARY, _ATOM = 0, _LEVEL["=="], len(_LEVELS) + 1, len(_LEVELS) + 2
_ESCAPED = {value: f"\\{letter}" for letter, value in ESCAPES.items() if value != "'"}


def printed(tree: Node) -> str:  # noqa: PLR0911 (one a kind of part)
    """The text that parses to this tree."""
    match tree:
        case Number(value=value):
            return repr(value)
        case Text(value=value):
            return '"' + "".join(_ESCAPED.get(character, character) for character in value) + '"'
        case Boolean(value=value):
            return "true" if value else "false"
        case Variable(ref=ref):
            return f"${{{ref}}}"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(printed, arguments))})"
        case Unary(operator=operator, operand=operand):
            return operator + _operand(operand, _UNARY)
        case Binary(operator=operator, left=left, right=right):
            level = _LEVEL[operator]
            left_level = level + 1 if level == _COMPARISON else level  # comparisons cannot be chained
            return f"{_operand(left, left_level)} {operator} {_operand(right, level + 1)}"
        case Conditional(condition=condition, then=then, otherwise=Conditional() as otherwise):
            return f"if ({printed(condition)}) {{ {printed(then)} }} else {printed(otherwise)}"
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return f"if ({printed(condition)}) {{ {printed(then)} }} else {{ {printed(otherwise)} }}"


def _operand(node: Node, level: int) -> str:
    """The operand of something that binds as tightly as ``level``."""
    text = printed(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> int:
    match node:
        case Binary(operator=operator):
            return _LEVEL[operator]
        case Unary():
            return _UNARY
        case Conditional():
            return _CONDITIONAL
        case _:
            return _ATOM
