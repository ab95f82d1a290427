"""Shapes prove what they read: whatever the messages, they give what the complete reading gives."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_api.points import PointRef
from streamjob_runtime import messages_fast, messages_slow
from streamjob_runtime.message_forms import ServiceForm
from streamjob_runtime.message_shapes import Unshapely, WantedPoints
from streamjob_runtime.messages import Decoded, decode
from streamjob_runtime.service_shapes import learn

SELECTED = frozenset({PointRef("Meter", "Reading"), PointRef("Meter", "Power"), PointRef("Pump", "Reading")})
NOW = 1_700_000_000_000
NO_TEXTS: frozenset[PointRef] = frozenset()

text_points = st.frozensets(st.sampled_from(sorted(SELECTED)))
names = st.sampled_from(["Reading", "Power", "Other", "Read", "ading", "x,y", "é"])
TRICKY = ['"', "\\", ',"Reading":5', "{", "}]"]
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -0.0, 1e22, 10**400, 2**63, -(2**63), 5e-324, 1.7976931348623157e308]),
)
scalars = st.one_of(
    numbers, st.text(max_size=5), st.booleans(), st.none(), st.sampled_from(['"', "\\", ',"Reading":5', "{", "}]"])
)
point_values = st.one_of(
    numbers,
    scalars,
    st.fixed_dictionaries({"value": scalars, "quality": scalars}),
    st.lists(scalars, max_size=3),
    st.dictionaries(names, scalars, max_size=2),
)
items = st.fixed_dictionaries(
    {
        "assetId": st.one_of(st.sampled_from(["m1", "m2", "ü"]), st.text(max_size=3)),
        "time": st.one_of(st.sampled_from([NOW, NOW + 1, NOW - 5, 0, 10**10]), numbers),
        "measurepoints": st.dictionaries(names, point_values, max_size=4),
    },
    optional={"extra": point_values},
)
heads = st.fixed_dictionaries(
    {"modelId": st.sampled_from(["Meter", "Pump", "Other"])},
    optional={"orgId": scalars, "modelIdPath": st.sampled_from(["/Meter", "/a/b", None]), "extra": point_values},
)
origins = st.builds(lambda head, payload: {**head, "payload": payload}, heads, st.lists(items, min_size=1, max_size=3))
records = st.builds(
    lambda head, fields: {**head, **fields},
    heads,
    st.fixed_dictionaries(
        {"assetId": st.text(min_size=1, max_size=3), "pointId": names, "time": st.just(NOW), "value": point_values}
    ),
)
styles: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"separators": (",", ":")}, {}, {"indent": 1}, {"ensure_ascii": False}]
)


def written(document: dict[str, Any], style: dict[str, Any]) -> bytes:
    return json.dumps(document, **style).encode(errors="surrogatepass")


documents = st.builds(written, st.one_of(origins, records), styles)


BYTES = st.one_of(st.sampled_from(b'"{}[],:0-e. \\\n'), st.integers(0, 255))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(documents))
    for _ in range(draw(st.integers(0, 2))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(
            st.one_of(st.sampled_from(b'"{}[],:0-e. \\\n'), st.integers(0, 255))
        )
    return bytes(raw)


def by_one(values: Sequence[bytes | None], texts: frozenset[PointRef] = NO_TEXTS) -> Decoded:
    """What the complete reading alone gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages_fast, "MIN_MESSAGES", len(values) + 1)
        return decode(values, SELECTED, NOW, 1000, texts=texts)


def by_shapes(values: Sequence[bytes | None], texts: frozenset[PointRef] = NO_TEXTS) -> Decoded:
    """What is read where a shape is tried from the first message on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages_fast, "MIN_MESSAGES", 1)
        return decode(values, SELECTED, NOW, 1000, texts=texts)


def assert_same(values: Sequence[bytes | None], texts: frozenset[PointRef] = NO_TEXTS) -> tuple[Decoded, Decoded]:
    fast, slow = by_shapes(values, texts), by_one(values, texts)
    order = ["message", "point"]
    assert fast.points.sort(order, maintain_order=True).equals(slow.points.sort(order, maintain_order=True))
    assert fast.malformed.equals(slow.malformed)
    assert (fast.refused, fast.records) == (slow.refused, slow.records)
    return fast, slow


@settings(max_examples=80, deadline=None)
@given(values=st.lists(st.one_of(mutated(), documents), min_size=1, max_size=5), texts=text_points)
def test_shapes_give_what_the_complete_reading_gives(values: list[bytes | None], texts: frozenset[PointRef]) -> None:
    assert_same(values, texts)


@settings(max_examples=40, deadline=None)
@given(sample=documents, other=mutated(), texts=text_points)
def test_a_shape_learned_from_one_message_never_misreads_another(
    sample: bytes, other: bytes, texts: frozenset[PointRef]
) -> None:
    assert_same([sample, other, sample, other], texts)


def one_layout(draw: st.DrawFn) -> list[bytes]:
    """Messages that differ in nothing but their values."""
    style, keys = draw(styles), draw(st.sets(names, min_size=1, max_size=3))
    values = st.fixed_dictionaries(
        {name: draw(st.sampled_from([scalars, st.fixed_dictionaries({"value": scalars})])) for name in sorted(keys)}
    )
    payloads = st.lists(values, min_size=1, max_size=2)
    models = st.sampled_from(["Meter", "Pump"])
    return [
        written(
            {"modelId": model, "payload": [{"assetId": "m1", "time": NOW, "measurepoints": one} for one in points]},
            style,
        )
        for model, points in draw(st.lists(st.tuples(models, payloads), min_size=2, max_size=6))
    ]


@settings(max_examples=80, deadline=None)
@given(values=st.composite(one_layout)(), texts=text_points)
def test_texts_of_one_layout_are_read_alike(values: list[bytes | None], texts: frozenset[PointRef]) -> None:
    assert_same(values, texts)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.one_of(st.binary(max_size=60), st.none()), max_size=5))
def test_arbitrary_bytes_are_counted_and_never_fail(values: list[bytes | None]) -> None:
    result = decode(values, SELECTED, NOW, 1000)
    assert result.malformed["message"].to_list() == list(range(len(values)))


def meter(number: int, **points: Any) -> dict[str, Any]:
    item = {"assetId": f"m{number % 7}", "time": NOW - number, "measurepoints": {"Reading": number / 4, **points}}
    return {"orgId": "o1", "modelId": "Meter", "modelIdPath": "/Meter", "payload": [item]}


def several(number: int) -> dict[str, Any]:
    return {**meter(number), "payload": [meter(number + k)["payload"][0] for k in range(number % 4 + 1)]}


def varying(number: int) -> dict[str, Any]:
    chosen = random.Random(number)  # noqa: S311
    return meter(number, **{f"Other{k}": k for k in range(6) if chosen.random() < 0.5})


def one_point(number: int) -> dict[str, Any]:
    head = {
        "modelId": "Meter",
        "modelIdPath": "/Meter",
        "assetId": f"m{number % 7}",
        "pointId": ["Reading", "Else"][number % 2],
    }
    return {**head, "time": NOW - number, "value": number, "quality": 0, "attr": {}}


def with_quality(number: int) -> dict[str, Any]:
    return meter(number, Power={"value": number, "quality": 0})


def mixed_points(number: int) -> dict[str, Any]:
    if number % 3:
        return {**one_point(number), "value": {"value": number, "quality": 0}}
    return {
        **one_point(number),
        "pointId": "status",
        "value": {"value": ["on", True, None][number % 9 // 3], "quality": 0},
    }


STATE = [True, "on", "läuft", "", "7", 7.5]


def with_state(number: int) -> dict[str, Any]:
    return meter(number, Power=STATE[number % 6])


def several_states(number: int) -> dict[str, Any]:
    return {**meter(number), "payload": [with_state(number + k)["payload"][0] for k in range(number % 4 + 1)]}


def varying_states(number: int) -> dict[str, Any]:
    sent = varying(number)
    sent["payload"][0]["measurepoints"] |= {"Power": STATE[number % 6]}
    return sent


def one_state(number: int) -> dict[str, Any]:
    return {**one_point(number), "pointId": "Power", "value": STATE[number % 6]}


@pytest.mark.parametrize("form", [with_state, several_states, varying_states, one_state])
@pytest.mark.parametrize("style", [{"separators": (",", ":")}, {"indent": 2, "ensure_ascii": False}])
def test_texts_and_truth_values_are_read_by_shapes_alone(
    form: Callable[..., dict[str, Any]], style: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [json.dumps(form(number), **{"ensure_ascii": False, **style}).encode() for number in range(500)]
    texts = frozenset({PointRef("Meter", "Power")})
    _, slow = assert_same(values, texts)
    read_one_by_one: list[int] = []
    monkeypatch.setattr(messages_slow, "read_message", lambda index, *_: read_one_by_one.append(index))
    fast = decode(values, SELECTED, NOW, 1000, texts=texts)
    assert (len(read_one_by_one), fast.unused) == (0, slow.unused)
    assert fast.points["text"].value_counts().height == 6


def of_any_kind(number: int, form: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """A message of ``form`` whose power is null, a list or an object as often as not, of a meter or a pump."""
    odd: Any = [None, ["on"], {}, "on", 5, True][number % 6]
    sent = {**form(number), "modelId": ["Meter", "Pump"][number % 5 % 2]}
    if "payload" not in sent:
        return {**sent, "pointId": ["Power", "Reading"][number % 2], "value": odd}
    return {**sent, "payload": [{**sent["payload"][0], "measurepoints": {"Reading": 1, "Power": odd}}]}


@pytest.mark.parametrize("form", [with_state, one_state])
@pytest.mark.parametrize(
    "texts", [{PointRef("Meter", "Power")}, {PointRef("Meter", "Reading")}, {PointRef("Pump", "Reading")}, SELECTED]
)
def test_what_is_no_text_is_left_to_the_complete_reading(
    form: Callable[[int], dict[str, Any]], texts: set[PointRef]
) -> None:
    values = [json.dumps(of_any_kind(number, form)).encode() for number in range(60)]
    for begin in range(6):  # shapes are learned from the first message
        fast, _ = assert_same(values[begin:], frozenset(texts))
        assert fast.refused["NotANumber"] > 0


@pytest.mark.parametrize("form", [meter, several, varying, one_point, mixed_points, with_quality])
@pytest.mark.parametrize("style", [{"separators": (",", ":")}, {}, {"indent": 2}])
def test_the_usual_forms_are_read_by_shapes_alone(
    form: Callable[..., dict[str, Any]], style: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [json.dumps(form(number), **style).encode() for number in range(500)]
    _, slow = assert_same(values)
    read_one_by_one: list[int] = []
    monkeypatch.setattr(messages_slow, "read_message", lambda index, *_: read_one_by_one.append(index))
    fast = decode(values, SELECTED, NOW, 1000)
    assert (len(read_one_by_one), fast.unused) == (0, slow.unused)


NO_MESSAGES = [
    "",
    "5",
    "[]",
    "{}",
    '{"modelId":5}',
    '{"modelId":"M","payload":[]}',
    '{"modelId":"M","payload":[{"assetId":"a"}]}',
    '{"a":1,"a":2}',
]


@pytest.mark.parametrize("sample", NO_MESSAGES)
def test_what_is_no_message_has_no_shape(sample: str) -> None:
    with pytest.raises(Unshapely):
        learn(sample, WantedPoints(frozenset({"Reading"})), flat=False)


def wide(number: int) -> dict[str, Any]:
    return meter(number, **{f"Other{k}": k for k in range(200)})


def test_messages_of_hundreds_of_points_are_read_by_shapes() -> None:
    texts = pl.DataFrame({"text": [json.dumps(wide(number)) for number in range(100)]}).with_row_index("message")
    assert messages_fast.read(texts, ServiceForm(frozenset({("Meter", "Reading")}), frozenset())).rest.is_empty()


def test_messages_that_no_shape_describes_leave_the_others_to_theirs() -> None:
    texts = [json.dumps(meter(number)) if number % 3 else "{}" * number for number in range(900)]
    read = messages_fast.read(
        pl.DataFrame({"text": texts}).with_row_index("message"),
        ServiceForm(frozenset({("Meter", "Reading")}), frozenset()),
    )
    assert (read.numbers.height, read.rest.height) == (600, 300)
