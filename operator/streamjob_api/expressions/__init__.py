"""The expression language of calculations: parsed with a grammar, checked against thing models, never run as Python.

The language is described in ``docs/expressions.md``.
"""

from streamjob_api.expressions.checker import Checked, value_type, variable_types
from streamjob_api.expressions.expression import Expression
from streamjob_api.expressions.faults import ExpressionError, Fault, Position
from streamjob_api.expressions.inference import TypeOf
from streamjob_api.expressions.parser import MAX_DEPTH, MAX_LENGTH, parse
from streamjob_api.expressions.printer import printed

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Checked",
    "Expression",
    "ExpressionError",
    "Fault",
    "Position",
    "TypeOf",
    "parse",
    "printed",
    "value_type",
    "variable_types",
]
