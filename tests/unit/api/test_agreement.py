"""Models, schemas and parsers agree, whatever is written."""

import copy
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from jsonschema.validators import extend

from manifests.faults import MODELS, faults_of
from manifests.strategies import Schema, manifests, spec_schema
from manifests.table import Manifest
from streamjob_api.assets import AssetPattern
from streamjob_api.durations import Duration
from streamjob_api.expressions import Expression
from streamjob_api.faults import MAX_FAULTS, InvalidSpec, parse_spec
from streamjob_api.intervals import Interval
from streamjob_api.json_paths import JsonPath
from streamjob_api.kinds import STREAM_JOB, STREAM_RESOURCE
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.thing_models import InvalidThingModels, ThingModels
from streamjob_api.timezones import TimeZone
from streamjob_api.written import Written
from streamjob_cli.yaml_documents import YamlFault, documents

MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(MANY, max_examples=100)
WRITTEN: list[type[Written]] = [
    AssetPattern,
    AttributeRef,
    Duration,
    Expression,
    Interval,
    JsonPath,
    PointRef,
    TimeZone,
]
# What a hundred thousand characters may cost, on a slow machine; what backtracks takes years.
SECONDS = 5.0


def unique(validator: Any, kind: str, items: Any, schema: Schema) -> Iterator[Exception]:
    """Kubernetes' lists: of ``set`` no item, of ``map`` no key twice."""
    keys = schema.get("x-kubernetes-list-map-keys")
    told = [[item.get(key) for key in keys] if keys else item for item in items] if isinstance(items, list) else []
    if kind in {"set", "map"} and any(each in told[:place] for place, each in enumerate(told)):
        yield ValueError("listed twice")


STRUCTURAL = extend(Draft4Validator, {"x-kubernetes-list-type": unique})  # type: ignore[no-untyped-call]


def strict(schema: Any) -> Any:
    """The schema as it is with strict validation: unknown fields are refused."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(each) for name, each in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        made["additionalProperties"] = False
    return made


VALIDATORS = {kind: STRUCTURAL(strict(spec_schema(kind))) for kind in (STREAM_JOB, STREAM_RESOURCE)}


def refused_by_schema(manifest: Manifest) -> bool:
    try:
        return not VALIDATORS[manifest["kind"]].is_valid(manifest["spec"])
    except AttributeError:  # an item that is no mapping, in a list of mappings
        return True


@MANY
@given(manifests())
def test_what_the_schema_refuses_the_model_refuses(manifest: Manifest) -> None:
    faults = faults_of(manifest)
    assert faults or not refused_by_schema(manifest)


@SOME
@given(manifests())
def test_faults_are_few_sentences_with_a_path_and_change_nothing(manifest: Manifest) -> None:
    before = copy.deepcopy(manifest)
    faults = faults_of(manifest)
    assert manifest == before
    assert all(fault.startswith("spec") and ": " in fault for fault in faults)
    assert len(faults) == len(set(faults)) <= MAX_FAULTS + 1
    assert all(len(fault) < 1000 for fault in faults)


@SOME
@given(manifests(most=1))
def test_a_spec_is_read_printed_and_read_again_alike(manifest: Manifest) -> None:
    model = MODELS[manifest["kind"]]
    try:
        spec = parse_spec(model, manifest["spec"])
    except InvalidSpec:
        assume(False)
    for unset in (True, False):
        printed = spec.model_dump(mode="json", exclude_unset=unset, exclude_none=True)
        assert parse_spec(model, printed) == spec


@SOME
@given(manifests(most=1))
def test_a_spec_prints_what_was_written(manifest: Manifest) -> None:
    try:
        spec = parse_spec(MODELS[manifest["kind"]], manifest["spec"])
    except InvalidSpec:
        assume(False)
    time_of = (manifest["spec"].get("startFrom") or {}).get("time")
    assume(time_of is None)  # a time prints as pydantic writes it
    assert spec.model_dump(mode="json", exclude_unset=True) == manifest["spec"]


def near_misses(kind: type[Written]) -> st.SearchStrategy[str]:
    """Texts of the characters that a form is made of."""
    return st.text(kind.EXAMPLE + "[](){}!*?$'\"\\:;,.+-0 \n", max_size=40)


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.__name__)
@given(data=st.data())
@SOME
def test_a_parser_takes_a_text_or_says_what_is_wrong(kind: type[Written], data: st.DataObject) -> None:
    text = data.draw(near_misses(kind) | st.text())
    try:
        written = kind.parse(text)
    except ValueError:
        return
    assert kind.parse(str(written)) == written


def points() -> st.SearchStrategy[str]:
    name = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)
    return st.tuples(name, name).map("::".join)


@st.composite
def durations(draw: st.DrawFn) -> str:
    units = [unit for unit in ("d", "h", "m", "s", "ms") if draw(st.booleans())] or ["s"]
    return "".join(f"{draw(st.integers(0, 9999))}{unit}" for unit in units)


@st.composite
def intervals(draw: st.DrawFn) -> str:
    low, high = sorted(draw(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2, unique=True)))
    left, right = draw(st.sampled_from([f"({low}", f"[{low}", "(-inf"])), draw(st.sampled_from(["+inf)", f"{high}]"]))
    return f"{left}, {right}"


def json_paths() -> st.SearchStrategy[str]:
    bare, index = st.sampled_from(["a", "device", "Wärme"]), st.integers(0, 9999).map("[{}]".format)
    quoted = st.sampled_from(["['a.b']", r"['it\'s']", r"['\\']", "['$']"])
    step = bare.map(".{}".format) | index | quoted
    return st.tuples(bare | st.just("$"), st.lists(step, max_size=5).map("".join)).map("".join)


def asset_patterns() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(["a", "*", "?", "[a-z]", "[!0-9]", "[*]", "[!]", "-", ".", "ü"]), min_size=1).map(
        "".join
    )


RIGHT: list[tuple[type[Written], st.SearchStrategy[str]]] = [
    (AssetPattern, asset_patterns()),
    (AttributeRef, points()),
    (Duration, durations()),
    (Interval, intervals()),
    (JsonPath, json_paths()),
    (PointRef, points()),
    (TimeZone, st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))),
]


@pytest.mark.parametrize(("kind", "texts"), RIGHT, ids=[kind.__name__ for kind, _ in RIGHT])
@given(data=st.data())
@SOME
def test_what_is_read_prints_as_it_was_written(
    kind: type[Written], texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    text = data.draw(texts)
    written = kind.parse(text)
    assert str(written) == text
    assert kind.parse(str(written)) == written
    assert kind.PATTERN is not None
    assert re.search(kind.PATTERN, text)


@pytest.mark.parametrize("text", ["localtime", "Factory"])
def test_the_zone_of_the_machine_is_none_for_a_job(text: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        TimeZone.parse(text)


REPEATED = [
    "1",
    "1m",
    "9d",
    "[",
    "[!a]",
    "[a",
    "(",
    "((",
    "a",
    "a.",
    "a[0]",
    "['a']",
    "${M::A}",
    "-",
    "!",
    "::",
    "A::",
    "/",
]
REPEATED += ["0,", " ", "\n", "\\", "'", '"', "*", "**", "?", "1e", "if (1) {", "+1", "}", "é", "\0", "."]


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.__name__)
def test_a_hundred_thousand_characters_are_refused_quickly(kind: type[Written]) -> None:
    started = time.process_time()
    for part in REPEATED:
        with suppress(ValueError):
            kind.parse((part * 100_000)[:100_000] + "[!")
    assert time.process_time() - started < SECONDS


@SOME
@given(st.text() | st.text("models:[]{}-&* \n'\"!|>#%@`id,path"))
def test_thing_models_are_read_or_their_faults_told(text: str) -> None:
    with suppress(InvalidThingModels):
        ThingModels.parse(text)


@SOME
@given(st.binary() | st.text("apiVersion:kdspc[]{}-&* \n\t'\"!|>#%@`0.").map(str.encode))
def test_manifests_are_read_or_the_fault_told(data: bytes) -> None:
    with suppress(YamlFault):
        list(documents(data))
