"""Mapped messages: whatever they are, shapes give what the complete reading gives, and read the bulk."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_runtime import messages_fast
from streamjob_runtime.mapped_slow import MappedReader
from streamjob_runtime.message_forms import MappedForm
from streamjob_runtime.messages import Decoded, decode

SELECTED = frozenset({PointRef("Meter", "Reading"), PointRef("Meter", "Power"), PointRef("7", "Reading")})
POWER = PointRef("Meter", "Power")
NO_TEXTS: frozenset[PointRef] = frozenset()
NOW = 1_700_000_000_000
DEVICE = {"asset": "device.id", "time": {"path": "ts", "unit": "s"}}
POINTS = {"points": {"Reading": "values.energy", "Power": "values.power", "Other": "values.other"}}

MAPPINGS = {
    "named points": {**DEVICE, "model": {"name": "Meter"}, **POINTS},
    "model in the message": {**DEVICE, "model": {"path": "device.type"}, **POINTS},
    "object of values": {**DEVICE, "model": {"name": "Meter"}, "values": "values"},
    "points beside the asset": {
        "asset": "id",
        "time": {"path": "ts"},
        "model": {"name": "Meter"},
        "values": "$",
    },
    "texts": {"asset": "id", "time": {"path": "ts", "unit": "iso8601"}, "model": {"name": "Meter"}, **POINTS},
    "records": {
        "records": "readings",
        "asset": "$.device.id",
        "time": {"path": "ts", "unit": "iso8601"},
        "model": {"path": "$.device.type"},
        "points": {"Reading": "energy", "Power": "values.power", "Other": "$.rssi"},
    },
    "records with their asset": {
        "records": "readings",
        "asset": "id",
        "time": {"path": "ts", "unit": "us"},
        "model": {"name": "Meter"},
        "values": "values",
    },
    "a named point": {
        **DEVICE,
        "model": {"name": "Meter"},
        "point": {"path": "sensor", "names": {"energy": "Reading", "7": "Power"}},
        "value": "reading",
    },
    "records with their point": {
        "records": "readings",
        "asset": "$.device.id",
        "time": {"path": "ts", "unit": "iso8601"},
        "model": {"path": "$.device.type"},
        "point": {"path": "sensor", "names": {"energy": "Reading"}},
        "value": "reading",
    },
    "records of one point": {
        "records": "readings",
        "asset": "id",
        "time": {"path": "ts"},
        "model": {"name": "Meter"},
        "point": {"path": "$.sensor"},
        "value": "reading",
    },
    "lists": {
        "records": "$",
        "asset": "[0]",
        "time": {"path": "[1]", "unit": "ns"},
        "model": {"name": "Meter"},
        "points": {"Reading": "[2]", "Power": "[3].power"},
    },
}

numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -0.0, 1e22, 10**400, 2**63, -(2**63), 5e-324, 1.7976931348623157e308]),
)
number_texts = st.sampled_from(["42.5", "7", "-0", "1e3", "", " 7", "7,5", "NaN", "0x1", "1e400", "٣"])
scalars = st.one_of(
    numbers,
    number_texts,
    st.text(max_size=4),
    st.booleans(),
    st.none(),
    st.sampled_from(['"', "\\", ',"energy":5', "{", "}]"]),
)
TEXT_TIMES = [
    "2023-11-14T22:13:20Z",
    "2023-11-14T22:13:19Z",
    "2023-11-14T22:13:20.5+02:00",
    "2023-11-14T22:13:20.4-00:30",
    "2023-11-14T22:13:20.999999999-11:30",
    "2023-02-30T00:00:00Z",
    "2023-11-14T22:13:60Z",
    "9999-12-31T23:59:59.9-23:59",
]
ODD_TIMES = ["2023-11-14 22:13:20z", "2023-11-14T22:13:20", "2023-11-14T24:00:00Z", "0000-01-01T00:00:00Z", "today"]


@st.composite
def mostly(draw: st.DrawFn, usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> Any:
    return draw(odd if draw(st.integers(0, 40)) == 17 else usual)


def times(unit: str) -> st.SearchStrategy[Any]:
    odd = st.one_of(st.sampled_from(ODD_TIMES), scalars)
    if unit == "iso8601":
        return mostly(st.sampled_from(TEXT_TIMES), odd)
    if unit == "s":
        usual: list[Any] = [NOW // 1000, NOW // 1000 - 5, NOW / 1000 + 0.123, str(NOW // 1000)]
    else:
        per_ms = {"ms": 1, "us": 1_000, "ns": 1_000_000}[unit]
        usual = [NOW * per_ms, NOW * per_ms - 1, (NOW - 1) * per_ms + 0.5, str(NOW * per_ms)]
    return mostly(st.sampled_from(usual), odd)


identities = mostly(st.sampled_from(["m1", "m2", "ü", 7, 10**17]), st.one_of(st.text(max_size=3), scalars))
values = mostly(
    st.one_of(numbers, st.sampled_from(["42.5", "-0"]), st.fixed_dictionaries({"value": numbers, "quality": scalars})),
    st.one_of(scalars, st.lists(scalars, max_size=3), st.fixed_dictionaries({"value": scalars})),
)
POINT_NAMES = ["energy", "power", "Reading", "Power"]
names = st.sampled_from([*POINT_NAMES, *POINT_NAMES, "other", "ener", "x,y", "é", "id", "ts"])
sensors = mostly(st.sampled_from([*POINT_NAMES, "status", 7]), st.one_of(st.text(max_size=3), scalars))
members = st.dictionaries(names, values, min_size=1, max_size=5)


def row(unit: str) -> st.SearchStrategy[Any]:
    cells = st.tuples(identities, times(unit), values, st.fixed_dictionaries({"power": values}, optional={"x": values}))
    return mostly(cells.map(list), scalars)


def record(unit: str) -> st.SearchStrategy[Any]:
    fields = {"id": identities, "ts": times(unit), "values": members, "sensor": sensors, "reading": values}
    objects = st.fixed_dictionaries(fields, optional={"energy": values, "Reading": values, "power": values})
    return mostly(objects, scalars)


def document(unit: str) -> st.SearchStrategy[Any]:
    head = {
        "device": st.fixed_dictionaries({"id": identities, "type": mostly(st.sampled_from(["Meter", 7]), scalars)}),
        "id": identities,
        "ts": times(unit),
        "values": members,
        "sensor": sensors,
        "reading": values,
        "readings": mostly(st.lists(record(unit), min_size=1, max_size=3), scalars),
    }
    return st.fixed_dictionaries(head, optional={"rssi": values, "Reading": values, "power": scalars})


def documents(mapping: MessageMapping) -> st.SearchStrategy[Any]:
    unit = str(mapping.time.unit)
    is_list = str(mapping.records) == "$"
    return mostly(st.lists(row(unit), min_size=1, max_size=3) if is_list else document(unit), scalars)


def redrawn(draw: st.DrawFn, value: Any, unit: str) -> Any:
    """A document of the same layout."""
    if isinstance(value, dict):
        again = {name: redrawn(draw, inner, unit) for name, inner in value.items()}
        return again | {"sensor": draw(sensors)} if "sensor" in value else again
    if isinstance(value, list):
        return [redrawn(draw, inner, unit) for inner in value]
    alike = {str: st.one_of(times(unit), number_texts, identities), int: numbers, float: numbers}
    return draw(mostly(st.just(value), alike.get(type(value), scalars)))


STYLES: list[dict[str, Any]] = [{"separators": (",", ":")}, {}, {"indent": 1}, {"ensure_ascii": False}]


@st.composite
def messages(draw: st.DrawFn, mapping: MessageMapping) -> list[bytes | None]:
    """Some documents, each with others of its layout; bytes of some are changed."""
    style, unit = draw(st.sampled_from(STYLES)), str(mapping.time.unit)
    firsts = draw(st.lists(documents(mapping), min_size=1, max_size=2))
    alike = [redrawn(draw, first, unit) for first in firsts for _ in range(draw(st.integers(0, 3)))]
    raw = [json.dumps(document, **style).encode(errors="surrogatepass") for document in (*firsts, *alike)]
    return [changed(draw, one) if draw(st.integers(0, 12)) == 7 else one for one in raw]


def changed(draw: st.DrawFn, raw: bytes) -> bytes:
    edited = bytearray(raw)
    for _ in range(draw(st.integers(1, 2))):
        edited[draw(st.integers(0, len(raw) - 1))] = draw(
            st.one_of(st.sampled_from(b'"{}[],:0-e.TZ \\\n'), st.integers(0, 255))
        )
    return bytes(edited)


def by_one(raw: Sequence[bytes | None], mapping: MessageMapping, texts: frozenset[PointRef] = NO_TEXTS) -> Decoded:
    """What the complete reading alone gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages_fast, "MIN_MESSAGES", len(raw) + 1)
        return decode(raw, SELECTED, NOW, 1000, mapping=mapping, texts=texts)


def by_shapes(
    raw: Sequence[bytes | None], mapping: MessageMapping, texts: frozenset[PointRef], *, flat: bool
) -> Decoded:
    """What is read where shapes are tried from the first message on, of known or of any sets of points."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages_fast, "MIN_MESSAGES", 1)
        learn = MappedForm.learn
        patch.setattr(MappedForm, "learn", lambda form, sample, **_: learn(form, sample, flat=flat))
        return decode(raw, SELECTED, NOW, 1000, mapping=mapping, texts=texts)


def assert_same(
    raw: Sequence[bytes | None],
    mapping: MessageMapping,
    *,
    flat: bool = False,
    texts: frozenset[PointRef] = NO_TEXTS,
) -> None:
    fast, slow = by_shapes(raw, mapping, texts, flat=flat), by_one(raw, mapping, texts)
    order = ["message", "point"]
    assert fast.points.sort(order, maintain_order=True).equals(slow.points.sort(order, maintain_order=True))
    assert fast.malformed.equals(slow.malformed)
    assert (fast.refused, fast.records, fast.unused) == (slow.refused, slow.records, slow.unused)


@pytest.mark.parametrize("name", MAPPINGS)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), flat=st.booleans(), texts=st.frozensets(st.sampled_from(sorted(SELECTED))))
def test_shapes_give_what_the_complete_reading_gives(
    name: str, data: st.DataObject, flat: bool, texts: frozenset[PointRef]
) -> None:
    mapping = MessageMapping.model_validate(MAPPINGS[name])
    assert_same(data.draw(messages(mapping)), mapping, flat=flat, texts=texts)


@pytest.mark.parametrize("name", ["named points", "object of values"])
@pytest.mark.parametrize(
    "odd",
    [
        "{}",
        '{"energy":"Power","Power":"on"}',
        '{"Power":null}',
        '{"Reading":1,"Reading":2,"energy":1,"energy":2}',
        '{"energy":"x"}',
    ],
)
def test_where_sets_of_points_vary_odd_ones_are_left_to_the_complete_reading(name: str, odd: str) -> None:
    usual = b'{"device":{"id":"m1"},"ts":1700000000,"values":{"Reading":1,"energy":5,"Power":"2"}}'
    raw = [usual, usual.replace(b'{"Reading":1,"energy":5,"Power":"2"}', odd.encode()), usual]
    for texts in (NO_TEXTS, frozenset({POWER}), SELECTED):
        assert_same(raw, MessageMapping.model_validate(MAPPINGS[name]), flat=True, texts=texts)


def meter(number: int) -> dict[str, Any]:
    measured = {"energy": number / 4, "power": str(number), "other": None}
    device = {"id": f"m{number % 7}", "type": "Meter", "firmware": "1.2"}
    return {"device": device, "ts": NOW // 1000 - number, "values": measured, "rssi": -number}


def varying(number: int) -> dict[str, Any]:
    chosen = random.Random(number)  # noqa: S311
    more = {f"other{k}": k for k in range(6) if chosen.random() < 0.5}
    return {**meter(number), "values": {"power": number, **more, "energy": str(number), "Reading": number}}


def beside(number: int) -> dict[str, Any]:
    return {"id": number % 7, "Reading": number / 4, "Power": number, "ts": NOW - number}


def text_time(number: int) -> dict[str, Any]:
    zone = ["Z", "+02:00"][number % 2]
    return {**meter(number), "id": "m1", "ts": f"2023-11-14T20:{number % 60:02d}:20.{number % 1000:03d}{zone}"}


def batch(number: int) -> dict[str, Any]:
    readings = [{"ts": f"2023-11-14T0{k}:13:20Z", "energy": number + k} for k in range(number % 4 + 1)]
    return {"device": meter(number)["device"], "rssi": 5, "readings": readings}


def row_list(number: int) -> list[Any]:
    return [[f"m{k}", (NOW - number) * 10**6 + k, number, {"power": k}] for k in range(number % 4 + 1)]


def one_value(number: int) -> dict[str, Any]:
    sensor = ["energy", "Power", "status", "door"][number % 4]
    values = {"energy": number / 4, "Power": str(number), "status": "on", "door": number % 8 == 3}
    return {"device": meter(number)["device"], "sensor": sensor, "ts": NOW // 1000 - number, "reading": values[sensor]}


def one_value_with_quality(number: int) -> dict[str, Any]:
    sent = one_value(number)
    return {**sent, "reading": {"value": sent["reading"], "quality": 0}}


def values_in_a_list(number: int) -> dict[str, Any]:
    sent = [one_value(number + k) for k in range(number % 4 + 1)]
    readings = [{**one, "ts": f"2023-11-14T0{k}:13:20Z"} for k, one in enumerate(sent)]
    return {"device": sent[0]["device"], "readings": readings}


def readings_of_one_point(number: int) -> dict[str, Any]:
    readings = [{"id": "m1", "ts": NOW - k, "reading": k / 4} for k in range(number % 4 + 1)]
    return {"sensor": ["Reading", "Power", "status"][number % 3], "readings": readings}


STATE = ["on", True, "7", "-7.5e1", 7, "läuft", ""]


def with_state(number: int) -> dict[str, Any]:
    return {**meter(number), "values": {"energy": number, "power": STATE[number % 7], "other": None}}


def varying_states(number: int) -> dict[str, Any]:
    sent = varying(number)
    return {**sent, "values": {**sent["values"], "power": STATE[number % 7], "Power": STATE[number % 7]}}


def one_state(number: int) -> dict[str, Any]:
    return {**one_value(number), "sensor": "Power", "reading": STATE[number % 7]}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("named points", with_state),
        ("named points", varying_states),
        ("object of values", varying_states),
        ("a named point", one_state),
    ],
)
def test_texts_and_truth_values_are_read_by_shapes_alone(
    name: str, form: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping, texts = MessageMapping.model_validate(MAPPINGS[name]), frozenset({POWER})
    raw = [json.dumps(form(number), ensure_ascii=False).encode() for number in range(500)]
    slow = by_one(raw, mapping, texts)
    read_one_by_one: list[int] = []
    monkeypatch.setattr(MappedReader, "read_message", lambda _, message, *__: read_one_by_one.append(message))
    fast = decode(raw, SELECTED, NOW, 1000, mapping=mapping, texts=texts)
    assert (len(read_one_by_one), fast.unused) == (0, slow.unused)
    assert fast.points.sort("message", "point").equals(slow.points.sort("message", "point"))
    assert set(fast.points["text"]) == {'"on"', "true", '"läuft"', '""', None}


def test_a_null_among_texts_is_left_to_the_complete_reading() -> None:
    mapping = MessageMapping.model_validate(MAPPINGS["a named point"])
    raw: list[bytes | None] = [json.dumps({**one_state(n), "reading": ["on", None][n % 2]}).encode() for n in range(9)]
    assert_same(raw, mapping, texts=frozenset({POWER}))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a named point", one_value),
        ("a named point", one_value_with_quality),
        ("records with their point", values_in_a_list),
        ("records of one point", readings_of_one_point),
        ("named points", meter),
        ("model in the message", meter),
        ("named points", varying),
        ("object of values", varying),
        ("points beside the asset", beside),
        ("texts", text_time),
        ("records", batch),
        ("lists", row_list),
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_the_bulk_is_read_by_shapes_alone(
    name: str, form: Callable[[int], Any], style: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = MessageMapping.model_validate(MAPPINGS[name])
    raw = [json.dumps(form(number), **style).encode() for number in range(500)]
    slow = by_one(raw, mapping)
    read_one_by_one: list[int] = []
    monkeypatch.setattr(MappedReader, "read_message", lambda _, message, *__: read_one_by_one.append(message))
    fast = decode(raw, SELECTED, NOW, 1000, mapping=mapping)
    assert (len(read_one_by_one), fast.malformed.height) == (0, 0)
    assert fast.points.height > 0
    assert fast.points.height + fast.unused >= len(raw)
    assert fast.points.sort("message", "point", "asset").equals(slow.points.sort("message", "point", "asset"))
    assert (fast.unused, fast.records) == (slow.unused, slow.records)
