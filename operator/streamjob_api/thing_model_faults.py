"""What is wrong with ``models.yaml``, in the words that its author reads."""

from collections.abc import Mapping

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from streamjob_api.suggestions import did_you_mean

_MAX_VALUE_LENGTH = 60


def told(fault: ErrorDetails, models: Mapping[str, type[BaseModel]]) -> str:
    """One fault as ``models[2].points[0].type: what is wrong``.

    Args:
        fault: as pydantic gives it.
        models: the model that describes the items of each list, and the whole under "".
    """
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).removeprefix(".")
    lists = [part for part in fault["loc"][:-1] if isinstance(part, str)]
    fields = [field.alias or name for name, field in models[lists[-1] if lists else ""].model_fields.items()]
    return f"{path}: {_message(fault, fields)}" if path else _message(fault, fields)


def _message(fault: ErrorDetails, fields: list[str]) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown field{did_you_mean(str(fault['loc'][-1]), fields)}"
        case "missing":
            return "required, but missing"
        case "rule" | "value_error":
            return fault["msg"].removeprefix("Value error, ")
        case "enum":
            return _not_one_of(fault)
    return f"expected {_form(fault, fields)} {_given(fault)}"


def _not_one_of(fault: ErrorDetails) -> str:
    known = [name.strip(" '") for name in fault["ctx"]["expected"].replace(" or ", ",").split(",")]
    return f"expected one of {', '.join(known)} {_given(fault)}{did_you_mean(str(fault['input']), known)}"


def _form(fault: ErrorDetails, fields: list[str]) -> str:
    match fault["type"], fault["loc"][-1:]:
        case "list_type", _:
            return "a list"
        case "model_type", _:
            return f"a mapping with {', '.join(fields)}"
        case _, ("path",):
            return "a path, as in /ElectricMeter"
    return "an id of at most 128 letters, digits and . _ -, the first one a letter, digit or _"


def _given(fault: ErrorDetails) -> str:
    value = fault["input"]
    if value is None:
        return "(got nothing)"
    shown = repr(value)
    return f"(got {shown if len(shown) <= _MAX_VALUE_LENGTH else shown[:_MAX_VALUE_LENGTH] + '...'})"
