"""What kind of value a point, an attribute or an expression has."""

from dataclasses import dataclass
from enum import StrEnum


class ValueType(StrEnum):
    """The types of the expression language."""

    INT = "int"
    DOUBLE = "double"
    TEXT = "string"
    BOOLEAN = "bool"

    @property
    def is_number(self) -> bool:
        """Whether it can be calculated with."""
        return self in {ValueType.INT, ValueType.DOUBLE}

    @property
    def words(self) -> str:
        """As a message calls a value of this type."""
        return "a number" if self.is_number else {"string": "a text", "bool": "true or false"}[self]


_VALUE_TYPES = {
    "int": ValueType.INT,
    "long": ValueType.INT,
    "float": ValueType.DOUBLE,
    "double": ValueType.DOUBLE,
    "string": ValueType.TEXT,
    "bool": ValueType.BOOLEAN,
}


@dataclass(frozen=True)
class DataType:
    """The data type that a thing model declares; any name is accepted, those that are not known here are opaque."""

    name: str

    @property
    def value_type(self) -> ValueType | None:
        """Its type in expressions; None when it is opaque."""
        return _VALUE_TYPES.get(self.name.lower())

    @property
    def is_numeric(self) -> bool:
        """Whether its values can be aggregated and calculated with."""
        return self.value_type is not None and self.value_type.is_number

    @property
    def is_integer(self) -> bool:
        """Whether its values are whole numbers."""
        return self.value_type is ValueType.INT

    def __str__(self) -> str:
        return self.name
