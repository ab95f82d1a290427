"""What can be calculated without any record."""

from streamjob_api.expressions.tree import Binary, Node, Number, Unary


def is_zero(node: Node) -> bool:
    """Whether it is made of numbers alone and gives 0."""
    return _constant(node) == 0


def _constant(node: Node) -> float | None:
    match node:
        case Number(value=value):
            return float(value)
        case Unary(operator="-", operand=operand):
            value_of = _constant(operand)
            return None if value_of is None else -value_of
        case Binary(left=left, right=right):
            first, second = _constant(left), _constant(right)
            return None if first is None or second is None else _combined(node.operator, first, second)
        case _:
            return None


def _combined(operator: str, left: float, right: float) -> float | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
        case _:
            return None
