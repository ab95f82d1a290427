"""What kind of value a point, an attribute or an expression has."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from streamjob_api.written import Written


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
class DataType(Written):
    """The data type that a thing model declares; any name is accepted, those that are not known here are opaque."""

    PATTERN: ClassVar[str] = r"^\S(.*\S)?$"
    MAX_LENGTH: ClassVar[int] = 64
    EXAMPLE: ClassVar[str] = "int, long, float, double, string, bool or another name"

    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take the name of a data type."""
        if not re.fullmatch(cls.PATTERN, text):
            raise ValueError(f"{text!r} is no data type; write {cls.EXAMPLE}")
        return cls(text)

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
