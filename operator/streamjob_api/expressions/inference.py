"""Which variables of an expression are texts or truth values, where nothing but the expression tells."""

from collections.abc import Callable, Mapping

from streamjob_api.data_types import ValueType
from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable
from streamjob_api.points import PointRef

TypeOf = Callable[[PointRef], ValueType | None]

_NUMBER = ValueType.DOUBLE
_LITERALS: Mapping[type[Node], ValueType] = {Number: _NUMBER, Text: ValueType.TEXT, Boolean: ValueType.BOOLEAN}
_Kinds = frozenset[PointRef | ValueType]


def inferred(tree: Node, type_of: TypeOf) -> Mapping[PointRef, ValueType]:
    """Return the variables that must be texts or truth values for the types of the tree to fit.

    Variables whose type is known count as what they are. One that is used as a number, too, is named nevertheless:
    whoever checks the types then finds where that does not fit.
    """
    uses = _Uses(type_of)
    uses.of(tree)
    return uses.kinds()


class _Uses:
    """Variables in groups of one kind, and the kinds that they are used as."""

    def __init__(self, type_of: TypeOf) -> None:
        self._type_of = type_of
        self._group: dict[PointRef, set[PointRef]] = {}
        self._kinds: dict[PointRef, set[ValueType]] = {}

    def kinds(self) -> Mapping[PointRef, ValueType]:
        """Return the variables that are used as texts or truth values."""
        found = {}
        for ref, group in self._group.items():
            kinds = set().union(*(self._kinds.get(other, set()) for other in group))
            for kind in (ValueType.BOOLEAN, ValueType.TEXT):
                if kind in kinds:
                    found[ref] = kind
        return found

    def of(self, node: Node) -> _Kinds:
        """Return of what kind a part is: its own, and that of the variables whose kind it shares."""
        match node:
            case Number() | Text() | Boolean():
                return frozenset({_LITERALS[type(node)]})
            case Variable(ref=ref):
                return self._variable(ref)
            case Unary(operator=sign, operand=operand):
                return self._all([operand], _NUMBER if sign == "-" else ValueType.BOOLEAN)
            case Call(arguments=arguments):
                return self._all(arguments, _NUMBER)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                self._all([condition], ValueType.BOOLEAN)
                return self._alike(then, otherwise)
            case Binary():
                return self._binary(node)

    def _variable(self, ref: PointRef) -> _Kinds:
        known = self._type_of(ref)
        if known is not None:
            return frozenset({_NUMBER if known.is_number else known})
        self._group.setdefault(ref, {ref})
        return frozenset({ref})

    def _binary(self, node: Binary) -> _Kinds:
        match node.operator:
            case "&&" | "||":
                return self._all([node.left, node.right], ValueType.BOOLEAN)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                self._alike(node.left, node.right)
                return frozenset({ValueType.BOOLEAN})
            case "+":  # Truth values are never added: what stands beside one is not one, too.
                return self._alike(node.left, node.right, frozenset({ValueType.BOOLEAN}))
        return self._all([node.left, node.right], _NUMBER)

    def _all(self, parts: list[Node] | tuple[Node, ...], kind: ValueType) -> _Kinds:
        for part in parts:
            self._join(self.of(part) | {kind})
        return frozenset({kind})

    def _alike(self, left: Node, right: Node, but: _Kinds = frozenset()) -> _Kinds:
        both = (self.of(left) | self.of(right)) - but
        self._join(both)
        return both

    def _join(self, same: _Kinds) -> None:
        """All of these are of one kind."""
        refs = [ref for ref in same if isinstance(ref, PointRef)]
        if not refs:
            return
        joined = set().union(*(self._group[ref] for ref in refs))
        self._kinds.setdefault(refs[0], set()).update(kind for kind in same if isinstance(kind, ValueType))
        for ref in joined:
            self._group[ref] = joined
