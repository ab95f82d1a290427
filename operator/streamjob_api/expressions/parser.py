"""From text to tree."""

from streamjob_api.expressions.faults import ExpressionError, Fault, Position
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
    from streamjob_api.expressions.grammar import built  # noqa: PLC0415 (most manifests have no expression)

    tree = built(text)
    if isinstance(tree, list):
        raise _error(text, *tree)
    _refuse_depth(text, tree)
    return tree


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
