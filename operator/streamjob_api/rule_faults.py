"""Faults that a rule across fields has found, told by pydantic beside those of single fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

RULE = "rule"


@dataclass(frozen=True)
class RuleFault:
    """A rule that does not hold.

    Args:
        message: what is wrong and what to do, values included.
        path: from the model to the field that is to blame; empty: the model as a whole.
    """

    message: str
    path: tuple[str | int, ...] = ()


def listed_twice(field: str, values: Sequence[object]) -> Iterator[RuleFault]:
    """Yield a fault for each value of a list that stands before it already."""
    for number, value in enumerate(values):
        if value in values[:number]:
            yield RuleFault(f"'{value}' is listed twice; leave one out", (field, number))


def not_one_given(model: BaseModel) -> Iterator[RuleFault]:
    """Yield a fault where none, or more than one, of a model's fields says anything."""
    names = type(model).model_fields
    given = [name for name in names if getattr(model, name)]
    if len(given) != 1:
        told = f"{' and '.join(given)} are given" if given else "nothing is given"
        yield RuleFault(f"{told}; write one of {', '.join(names)}")


def raised(title: str, faults: Sequence[RuleFault]) -> ValidationError:
    """The faults as pydantic's error."""
    return ValidationError.from_exception_data(title, [_of_rule(fault) for fault in faults])


def with_rules(error: ValidationError, faults: Sequence[RuleFault]) -> ValidationError:
    """Pydantic's error, with the faults beside its own."""
    if not faults:
        return error
    own = [_again(details) for details in error.errors(include_url=False)]
    return ValidationError.from_exception_data(error.title, [*own, *map(_of_rule, faults)])


def _of_rule(fault: RuleFault) -> InitErrorDetails:
    return _details(RULE, fault.message, fault.path, None)


def _again(details: ErrorDetails) -> InitErrorDetails:
    return _details(details["type"], details["msg"], details["loc"], details["input"], details.get("ctx"))


def _details(
    kind: str, message: str, path: tuple[str | int, ...], value: Any, context: dict[str, Any] | None = None
) -> InitErrorDetails:
    # The message is a template to pydantic, in which braces name a part of the context.
    told = PydanticCustomError(kind, "{told}", {**(context or {}), "told": message})
    return InitErrorDetails(type=told, loc=path, input=value)
