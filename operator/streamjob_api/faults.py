"""What is wrong with a manifest, in the words that its author reads: path, fault, value given."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_MAX_VALUE_LENGTH = 80

ModelT = TypeVar("ModelT", bound=BaseModel)


class InvalidSpec(ValueError):  # noqa: N818 (the name of the condition's reason)
    """A spec that the model refuses; ``str`` of it names every fault at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse_spec(model: type[ModelT], raw: Mapping[str, Any]) -> ModelT:
    """Validate the ``spec`` of a manifest.

    Raises:
        InvalidSpec: naming every fault at once, spelled as the user wrote it.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise InvalidSpec([describe(fault) for fault in error.errors(include_url=False)]) from error


def describe(fault: ErrorDetails) -> str:
    """One fault as ``spec.path: what is wrong (got value)``."""
    path = "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    match fault["type"]:
        case "extra_forbidden":
            return f"{path}: unknown field"
        case "rule":
            return f"{path}: {message}"
        case "missing":
            return f"{path}: required, but missing"
        case "value_error" if "'" in message or isinstance(fault["input"], Mapping | list):
            return f"{path}: {message}"
    value = repr(fault["input"])
    shown = value if len(value) <= _MAX_VALUE_LENGTH else value[:_MAX_VALUE_LENGTH] + "..."
    return f"{path}: {message} (got {shown})"
