"""Manifests drawn from the CRDs' own schemas: good ones, and good ones with a few changes."""

import copy
import re
import string
from collections.abc import Callable
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from manifests.table import HERE, Manifest, Ring, entries
from streamjob_api.kinds import STREAM_JOB, STREAM_JOBS, STREAM_RESOURCE, STREAM_RESOURCES

Schema = dict[str, Any]
CRDS = HERE.parents[1] / "crds"
_PLURALS = {STREAM_JOB: STREAM_JOBS, STREAM_RESOURCE: STREAM_RESOURCES}
_MATCHES = re.compile(r"self\.matches\(r'''(.+)'''\)")
_EXPRESSIONS = ["${M::A} - ${M::B}", "if (${M::A} > 1) { 1 } else { 2 }", "max(${M::A}, 1)", "${M::A} -", "1"]
_TIMES = ["2026-01-31T00:00:00Z", "2026-01-31T00:00:00+01:00", "2026-01-31"]

texts = st.text(max_size=12)
names = st.text(string.ascii_letters + "._-", min_size=1, max_size=8)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(["10m", "1d", "M::A", "[0, 1]", "UTC", "Running"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=4,
)


@cache
def spec_schema(kind: str) -> Schema:
    """The schema of a spec, as the committed CRD has it."""
    crd = yaml.safe_load((CRDS / f"{_PLURALS[kind]}.yaml").read_text())
    schema: Schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


@cache
def _right() -> list[Manifest]:
    return [entry.manifest for entry in entries() if entry.ring is Ring.NONE and len(str(entry.manifest)) < 5_000]


def of_schema(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that a schema takes, its CEL rules aside."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _STRATEGIES[schema["type"]](schema)


def _object(schema: Schema) -> st.SearchStrategy[Any]:
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return st.dictionaries(names, anything, max_size=3)
    if isinstance(schema.get("additionalProperties"), dict):
        return st.dictionaries(names, of_schema(schema["additionalProperties"]), max_size=3)
    fields = {name: of_schema(field) for name, field in schema.get("properties", {}).items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


def _array(schema: Schema) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    return st.lists(of_schema(schema["items"]), min_size=least, max_size=min(schema["maxItems"], least + 2))


def _string(schema: Schema) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date-time":
        return st.sampled_from(_TIMES)
    pattern = _pattern(schema)
    if pattern:
        written = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
        return written.filter(lambda text: len(text) <= schema["maxLength"])
    return st.sampled_from(_EXPRESSIONS) if schema.get("minLength") else texts


def _pattern(schema: Schema) -> str | None:
    """The form of a text, whether the schema holds it or a rule."""
    rules = [rule["rule"] for rule in schema.get("x-kubernetes-validations", ())]
    asked = [found[1] for found in map(_MATCHES.fullmatch, rules) if found]
    return asked[0] if asked else schema.get("pattern")


def _integer(schema: Schema) -> st.SearchStrategy[Any]:
    return st.integers(schema["minimum"], schema.get("maximum"))


def _number(schema: Schema) -> st.SearchStrategy[Any]:
    highest = schema.get("maximum", 1e6)
    return st.integers(0, int(2 * highest)).map(lambda halves: halves / 2) | st.floats(0, highest)


_STRATEGIES: dict[str, Callable[[Schema], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda _: st.booleans(),
}


@st.composite
def manifests(draw: st.DrawFn, kinds: tuple[str, ...] = (STREAM_JOB, STREAM_RESOURCE), most: int = 3) -> Manifest:
    """A good manifest of the table, with up to so many changes."""
    manifest = copy.deepcopy(draw(st.sampled_from([right for right in _right() if right["kind"] in kinds])))
    for _ in range(draw(st.integers(0, most))):
        manifest["spec"] = _changed(draw, manifest["spec"], spec_schema(manifest["kind"]))
    return manifest


def _changed(draw: st.DrawFn, value: Any, schema: Schema) -> Any:
    """A value with one change, somewhere in it."""
    if isinstance(value, dict) and schema.get("properties"):
        return _changed_mapping(draw, value, schema)
    if isinstance(value, list) and value and "items" in schema:
        place = draw(st.integers(0, len(value)))
        if place < len(value):
            return [*value[:place], _changed(draw, value[place], schema["items"]), *value[place + 1 :]]
        return [*value, draw(st.sampled_from(value) | of_schema(schema["items"]))]
    return draw(of_schema(schema) | anything)


def _changed_mapping(draw: st.DrawFn, value: Manifest, schema: Schema) -> Manifest:
    fields = schema["properties"]
    present = [name for name in fields if name in value]
    action = draw(st.sampled_from(["below", "below", "below", "replace", "remove", "unknown"]))
    if action == "unknown":
        return value | {draw(names): draw(anything)}
    name = draw(st.sampled_from(present if present and action != "replace" else list(fields)))
    if action == "remove":
        return {each: kept for each, kept in value.items() if each != name}
    if action == "below" and name in value:
        return value | {name: _changed(draw, value[name], fields[name])}
    return value | {name: draw(of_schema(fields[name]) | anything)}
