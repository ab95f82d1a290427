"""Which type an expression's value has, and where the types in it do not fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamjob_api.data_types import ValueType
from streamjob_api.expressions.constants import is_zero
from streamjob_api.expressions.expression import Expression
from streamjob_api.expressions.faults import Fault
from streamjob_api.expressions.inference import TypeOf, inferred
from streamjob_api.expressions.printer import printed
from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable
from streamjob_api.points import PointRef

_MAX_SHOWN = 60


@dataclass(frozen=True)
class Checked:
    """The type of an expression's value, None where it cannot be known, and all faults in the order of the text."""

    type: ValueType | None
    faults: tuple[Fault, ...]


def value_type(expression: Expression, type_of: TypeOf) -> Checked:
    """Check the types of an expression; a variable whose type is None is what it is used as, but one thing only."""
    used = inferred(expression.tree, type_of)
    checker = _Checker(lambda ref: type_of(ref) or used.get(ref))
    result = checker.check(expression.tree)
    return Checked(result, tuple(sorted(fault.of(expression.text) for fault in checker.faults)))


def variable_types(expression: Expression, type_of: TypeOf) -> Mapping[PointRef, ValueType]:
    """Return the type of each variable; one that is neither known nor used as a text or truth value is a number."""
    used = inferred(expression.tree, type_of)
    return {ref: type_of(ref) or used.get(ref, ValueType.DOUBLE) for ref in expression.variables}


class _Checker:
    """Collects the faults of one tree, of at most ``MAX_DEPTH``."""

    def __init__(self, type_of: TypeOf) -> None:
        self._type_of = type_of
        self.faults: list[Fault] = []

    def check(self, node: Node) -> ValueType | None:  # noqa: PLR0911 (one a kind of part)
        match node:
            case Number(value=value):
                return ValueType.INT if isinstance(value, int) else ValueType.DOUBLE
            case Text():
                return ValueType.TEXT
            case Boolean():
                return ValueType.BOOLEAN
            case Variable(ref=ref):
                return self._type_of(ref)
            case Call(function=function, arguments=arguments):
                return self._number(function, node, arguments)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Conditional():
                return self._conditional(node)

    def _unary(self, node: Unary) -> ValueType | None:
        if node.operator == "-":
            return self._number("-", node, [node.operand])
        return self._boolean("!", node, [node.operand])

    def _binary(self, node: Binary) -> ValueType | None:
        operands = [node.left, node.right]
        match node.operator:
            case "&&" | "||":
                return self._boolean(node.operator, node, operands)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return self._comparison(node)
            case "+":
                return self._sum(node)
            case "/" | "%":
                if is_zero(node.right):
                    self._fault(node, f"division by zero: {_shown(node.right)} is always 0")
        number = self._number(node.operator, node, operands)
        return ValueType.DOUBLE if node.operator == "/" else number

    def _sum(self, node: Binary) -> ValueType | None:
        left, right = self.check(node.left), self.check(node.right)
        types = {left, right} - {None}
        if types <= {ValueType.INT, ValueType.DOUBLE}:
            return _widest([left, right])
        if types != {ValueType.TEXT}:
            self._fault(node, f"'+' adds numbers or joins texts, but {_kinds((node.left, left), (node.right, right))}")
            return None
        return ValueType.TEXT

    def _comparison(self, node: Binary) -> ValueType:
        left, right = self.check(node.left), self.check(node.right)
        kinds = _kinds((node.left, left), (node.right, right))
        if left and right and left.words != right.words:
            self._fault(node, f"'{node.operator}' compares values of one kind, but {kinds}")
        elif ValueType.BOOLEAN in {left, right} and node.operator not in {"==", "!="}:
            self._fault(node, f"'{node.operator}' compares numbers or texts, but {kinds}")
        return ValueType.BOOLEAN

    def _conditional(self, node: Conditional) -> ValueType | None:
        self._boolean("if", node, [node.condition])
        then, otherwise = self.check(node.then), self.check(node.otherwise)
        if not then or not otherwise or then is otherwise:
            return then if then is otherwise else None
        if then.is_number and otherwise.is_number:
            return ValueType.DOUBLE
        self._fault(node, f"'if' gives values of two kinds: {_kinds((node.then, then), (node.otherwise, otherwise))}")
        return None

    def _number(self, operator: str, node: Node, operands: Iterable[Node]) -> ValueType | None:
        """What is calculated from numbers is a number."""
        types = [(operand, self.check(operand)) for operand in operands]
        wrong = [(operand, found) for operand, found in types if found and not found.is_number]
        if wrong:
            self._fault(node, f"'{operator}' needs numbers, but {_kinds(*wrong)}")
            return None
        return _widest([found for _, found in types])

    def _boolean(self, operator: str, node: Node, operands: Iterable[Node]) -> ValueType:
        types = [(operand, self.check(operand)) for operand in operands]
        wrong = [(operand, found) for operand, found in types if found and found is not ValueType.BOOLEAN]
        if wrong:
            self._fault(node, f"'{operator}' needs true or false, but {_kinds(*wrong)}")
        return ValueType.BOOLEAN

    def _fault(self, node: Node, message: str) -> None:
        self.faults.append(Fault(node.position, message))


def _widest(types: list[ValueType | None]) -> ValueType | None:
    if ValueType.DOUBLE in types:
        return ValueType.DOUBLE
    return None if None in types else ValueType.INT


def _kinds(*operands: tuple[Node, ValueType | None]) -> str:
    return " and ".join(f"{_shown(node)} is {found.words}" for node, found in operands if found)


def _shown(node: Node) -> str:
    text = printed(node)
    return f"'{text}'" if len(text) <= _MAX_SHOWN else f"'{text[:_MAX_SHOWN]}...'"
