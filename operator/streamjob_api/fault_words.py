"""What a fault that pydantic has found is in the words of a manifest's author: what is wrong, value given, remedy."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from math import ceil, floor
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from streamjob_api import forms
from streamjob_api.durations import Duration
from streamjob_api.places import Place, fields, part_of, required
from streamjob_api.spelling import as_yaml, shown, typed
from streamjob_api.suggestions import did_you_mean

# More names than these are not read in a message; the reference page has them.
_MAX_NAMES = 12
_MAX_HOMES = 3
# A larger number is no slip that a neighbouring multiple would correct.
_MAX_REMEDY = 1e6
_WHOLE = "a whole number"


def words(details: ErrorDetails, place: Place, homes: Mapping[str, list[str]]) -> list[str]:
    """The sentences of one fault; several where a text holds several faults.

    Args:
        homes: by name of a field, the parts of the manifest that have such a field.
    """
    if details["type"] == "extra_forbidden":
        return [_unknown(str(details["loc"][-1]), place.part, homes)]
    told = _WORDS.get(details["type"])
    return [told(details, place)] if told is not None else _as_raised(details)


def _as_raised(details: ErrorDetails) -> list[str]:
    """The sentence of a rule or of a parser."""
    error = (details.get("ctx") or {}).get("error")
    each = getattr(error, "faults", ()) or [details["msg"].removeprefix("Value error, ")]
    value = details["input"]
    is_said = details["type"] == "rule" or not isinstance(value, str) or any(repr(value)[1:-1] in str(t) for t in each)
    return [str(text) if is_said or "'" in str(text) else f"{text} (got {shown(value)})" for text in each]


def _unknown(name: str, part: type[BaseModel], homes: Mapping[str, list[str]]) -> str:
    known = list(fields(part))
    nearest = did_you_mean(name, known)
    elsewhere = homes.get(name, [])[:_MAX_HOMES]
    if elsewhere and name.casefold() not in map(str.casefold, known):
        return f"unknown field; it is a field of {' and '.join(elsewhere)}"
    if nearest or len(known) > _MAX_NAMES:
        return f"unknown field{nearest or '; leave it out, or look for its name in the reference'}"
    if not known:
        return "unknown field; there are none here"
    return f"unknown field; the fields here are {', '.join(known)}"


def _missing(details: ErrorDetails, place: Place) -> str:
    name = str(details["loc"][-1])
    if place.example is not None:
        return f"required, but missing; write e.g. {name}: {as_yaml(place.example)}"
    part = part_of(place.kind)
    if part is None:
        return "required, but missing"
    return f"required, but missing; {_fields_to_write(place, part)}"


def _fields_to_write(place: Place, part: type[BaseModel]) -> str:
    names = required(part) or list(fields(part))[:_MAX_NAMES]
    of_each = "it needs" if place.model is not None else "each item needs"
    return f"{of_each} {', '.join(names)}" if required(part) else f"it may have {', '.join(names)}"


def _choice(details: ErrorDetails, place: Place) -> str:
    choices = [str(each.value) for each in place.kind] if _is_enum(place.kind) else []
    value = details["input"]
    near = _as_long(value, choices) or did_you_mean(value, choices) if isinstance(value, str) else ""
    return f"{shown(value)} is not one of {', '.join(choices)}{near}"


def _as_long(value: str, choices: Sequence[str]) -> str:
    """The same duration as it is offered: ``1h`` for ``60m``."""
    if len(value) > Duration.MAX_LENGTH:
        return ""
    try:
        length = Duration.parse(value).milliseconds
        same = next((each for each in choices if Duration.parse(each).milliseconds == length), None)
    except ValueError:
        return ""
    return f"; write '{same}'" if same else ""


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _whole_number(details: ErrorDetails, place: Place) -> str:
    return _expected(_WHOLE, details["input"], place, is_number=True)


def _number(details: ErrorDetails, place: Place) -> str:
    return _expected("a number", details["input"], place, is_number=True)


def _expected(what: str, value: Any, place: Place, *, is_number: bool = False) -> str:
    told = f"expected {what}, got {typed(value)}"
    if isinstance(value, str) and (value in {"true", "false"} if not is_number else _reads_as(what, value)):
        return f"{told}; write {value.strip()} without quotes"
    if what == _WHOLE and isinstance(value, float) and value.is_integer():
        return f"{told}; write {value:.0f}"
    return f"{told}; write e.g. {as_yaml(place.example)}" if place.example is not None else told


def _reads_as(what: str, text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return text.isascii() and (number.is_integer() if what == _WHOLE else abs(number) < float("inf"))


def _boolean(details: ErrorDetails, place: Place) -> str:
    return _expected("true or false", details["input"], place)


def _text(details: ErrorDetails, place: Place) -> str:
    value = details["input"]
    if details["loc"][-1] == "[key]":
        return _name(details, place)
    told = f"expected a text, got {typed(value)}"
    if isinstance(value, bool | int | float):
        quoted = f', as in "{place.example}"' if isinstance(place.example, str) and not place.is_item else ""
        return f"{told}; put quotes around it{quoted}"
    return f"{told}; write e.g. {as_yaml(place.example)}" if place.example is not None else told


def _half_character(details: ErrorDetails, place: Place) -> str:  # noqa: ARG001
    return "holds half of a character (a lone surrogate); write whole characters"


def _name(details: ErrorDetails, place: Place) -> str:  # noqa: ARG001
    return f"expected a text as name, got {typed(details['input'])}; put quotes around it"


def _form(details: ErrorDetails, place: Place) -> str:
    pattern = (details.get("ctx") or {})["pattern"]
    value = str(details["input"])
    asked = forms.words(pattern) or "a text of the form in the reference"
    example = f", as in {place.example}" if isinstance(place.example, str) else ""
    if "://" in pattern and "@" in value:
        return f"an address must not hold user and password; write {asked}{example}"
    return f"{shown(value)} is not of the right form; write {asked}{example}"


def _long_text(details: ErrorDetails, place: Place) -> str:  # noqa: ARG001
    most = (details.get("ctx") or {})["max_length"]
    return f"too long: {len(details['input'])} characters; write at most {most}"


def _empty_text(details: ErrorDetails, place: Place) -> str:  # noqa: ARG001
    return f"empty; write e.g. {as_yaml(place.example)}" if place.example is not None else "empty; write a text"


def _many(details: ErrorDetails, place: Place) -> str:  # noqa: ARG001
    limits = details.get("ctx") or {}
    things = "entries" if isinstance(details["input"], Mapping) else "items"
    return f"{len(details['input'])} {things} are too many; at most {limits['max_length']} are allowed"


def _few(details: ErrorDetails, place: Place) -> str:
    least = (details.get("ctx") or {})["min_length"]
    told = f"has {len(details['input'])} items; write at least {least}"
    part = part_of(place.kind)
    if part is not None:
        return f"{told}; {_fields_to_write(place, part)}"
    return f"{told}, as in {as_yaml(place.example)}" if place.example is not None else told


def _list(details: ErrorDetails, place: Place) -> str:
    value = details["input"]
    if isinstance(value, str | int | float) and not isinstance(value, bool) and part_of(place.kind) is None:
        return f"expected a list, got {typed(value)}; write [{as_yaml(value) if len(str(value)) < 80 else '...'}]"
    if isinstance(value, Mapping):
        return "expected a list, got a mapping; begin each item with '- '"
    return _expected("a list", value, place)


def _mapping(details: ErrorDetails, place: Place) -> str:
    value = details["input"]
    told = f"expected a mapping, got {typed(value)}"
    if isinstance(value, list) and len(value) == 1:
        told = "expected a mapping, got a list; leave out the '- '"
    if place.model is not None:
        return f"{told}; {_fields_to_write(place, place.model)}"
    return f"{told}; write e.g. {as_yaml(place.example)}" if place.example is not None else told


def _range(details: ErrorDetails, place: Place) -> str:
    broken = details.get("ctx") or {}  # all that is known of an item's limits
    above, least, most = (
        place.limit(name) if place.limit(name) is not None else broken.get(name) for name in ("gt", "ge", "le")
    )
    bounds = [
        *([f"more than {above:g}"] if above is not None else []),
        *([f"at least {least}"] if least is not None else []),
        *([f"at most {most}"] if most is not None else []),
    ]
    return f"must be {' and '.join(bounds)} (got {shown(details['input'])})"


def _multiple(details: ErrorDetails, place: Place) -> str:  # noqa: ARG001
    factor, value = (details.get("ctx") or {})["multiple_of"], details["input"]
    told = f"must be a multiple of {factor:g} (got {shown(value)})"
    near = [floor(value / factor) * factor, ceil(value / factor) * factor] if abs(value) < _MAX_REMEDY else []
    remedies = [f"{number:g}" for number in near if number > 0]
    return f"{told}; write {' or '.join(remedies)}" if remedies else told


def _time(details: ErrorDetails, place: Place) -> str:
    return f"{shown(details['input'])} is no time; write a time with its zone, as in {place.example}"


def _finite(details: ErrorDetails, place: Place) -> str:
    example = f"; write e.g. {as_yaml(place.example)}" if place.example is not None else ""
    return f"must be a finite number (got {shown(details['input'])}){example}"


_WORDS: Mapping[str, Callable[[ErrorDetails, Place], str]] = {
    "missing": _missing,
    "enum": _choice,
    "int_type": _whole_number,
    "float_type": _number,
    "bool_type": _boolean,
    "string_type": _text,
    "string_unicode": _half_character,
    "string_pattern_mismatch": _form,
    "string_too_long": _long_text,
    "string_too_short": _empty_text,
    "too_long": _many,
    "too_short": _few,
    "list_type": _list,
    "dict_type": _mapping,
    "model_type": _mapping,
    "greater_than": _range,
    "greater_than_equal": _range,
    "less_than_equal": _range,
    "multiple_of": _multiple,
    "finite_number": _finite,
    "invalid_key": _name,
    "datetime_type": _time,
    "datetime_parsing": _time,
    "datetime_from_date_parsing": _time,
    "datetime_object_invalid": _time,
}
