"""Reading messages: what each form gives, and what becomes of everything that cannot be read."""

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from streamjob_api.points import PointRef
from streamjob_runtime.messages import Decoded, decode

Message = dict[str, Any] | bytes | None

READING, POWER = PointRef("Meter", "Reading"), PointRef("Meter", "Power")
NOW = 1_700_000_000_000
TOLERANCE = 300_000


def item(value: Any = 1, *, asset: Any = "m1", time: Any = NOW, **others: Any) -> dict[str, Any]:
    return {"assetId": asset, "time": time, "measurepoints": {"Reading": value, **others}}


def origin(*items: Any, **fields: Any) -> dict[str, Any]:
    return {"orgId": "o1", "modelId": "Meter", "modelIdPath": "/root/Meter", "payload": list(items), **fields}


def record(value: Any = 1, *, point: str = "Reading", **fields: Any) -> dict[str, Any]:
    head = {"orgId": "o1", "modelId": "Meter", "modelIdPath": "/root/Meter", "assetId": "m1", "pointId": point}
    return {**head, "time": NOW, "value": value, "quality": 0, "dq": 0, "attr": {}, **fields}


def decoded(
    *messages: Message,
    selected: tuple[PointRef, ...] = (READING,),
    tolerance: int | None = TOLERANCE,
    texts: tuple[PointRef, ...] = (),
) -> Decoded:
    raw = [json.dumps(message).encode() if isinstance(message, dict) else message for message in messages]
    return decode(raw, frozenset(selected), NOW, tolerance, texts=frozenset(texts))


def values(result: Decoded) -> list[tuple[Any, ...]]:
    return result.points.select("asset", "point", "time", "value", "is_int").rows()


def faults(result: Decoded) -> list[tuple[Any, ...]]:
    return result.malformed.select("message", "reason").rows()


@pytest.mark.parametrize("message", [origin(item(42.5)), record(42.5)])
def test_both_forms_give_the_same_point(message: Message) -> None:
    (row,) = decoded(message).points.rows(named=True)
    assert row == {
        "message": 0,
        "asset": "m1",
        "model": "Meter",
        "model_path": "/root/Meter",
        "point": "Reading",
        "time": NOW,
        "value": 42.5,
        "is_int": False,
    }


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (7, [(7.0, True)]),
        (7.0, [(7.0, False)]),
        (-1e-3, [(-0.001, False)]),
        ({"value": 7, "quality": 0}, [(7.0, True)]),
        ({"quality": 9, "value": 7.5}, [(7.5, False)]),
        ([1, 2.5, 3], [(1.0, True), (2.5, False), (3.0, True)]),
        ([{"value": 1, "quality": 0}, 2], [(1.0, True), (2.0, True)]),
        ({"value": [1, 2], "quality": 0}, [(1.0, True), (2.0, True)]),
    ],
)
@pytest.mark.parametrize("form", [lambda value: origin(item(value)), record])
def test_a_value_is_a_number_an_object_or_an_array(
    value: Any, numbers: list[tuple[float, bool]], form: Callable[..., dict[str, Any]]
) -> None:
    assert decoded(form(value)).points.select("value", "is_int").rows() == numbers


@pytest.mark.parametrize(
    "value", ["7", "", True, None, {}, {"value": None}, {"quality": 0}, [], [[1]], {"value": {"value": 1}}]
)
def test_what_is_no_number_is_refused_as_such(value: Any) -> None:
    result = decoded(origin(item(value)), origin(item(3)))
    assert (result.refused, result.records, result.malformed.height) == ({"NotANumber": 1}, 2, 0)
    assert result.points["value"].to_list() == [3.0]


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ("on", [(None, False, '"on"')]),
        ("", [(None, False, '""')]),
        ("7", [(None, False, '"7"')]),
        ('ü "\\\n', [(None, False, '"ü \\"\\\\\\n"')]),
        (True, [(None, False, "true")]),
        ({"value": False, "quality": 0}, [(None, False, "false")]),
        (7, [(7.0, True, None)]),
        (["a", 2.5, True], [(None, False, '"a"'), (2.5, False, None), (None, False, "true")]),
    ],
)
@pytest.mark.parametrize("form", [lambda value: origin(item(value)), record])
def test_of_points_that_may_have_them_texts_and_truth_values_are_values(
    value: Any, rows: list[tuple[float | None, bool, str | None]], form: Callable[..., dict[str, Any]]
) -> None:
    result = decoded(form(value), texts=(READING,))
    assert (result.points.select("value", "is_int", "text").rows(), result.refused) == (rows, {})


@pytest.mark.parametrize("value", [None, {}, {"value": None}, [], [[1]], {"value": {"value": "on"}}, "\ud800"])
def test_what_is_neither_number_nor_text_nor_truth_value_is_refused(value: Any) -> None:
    result = decoded(origin(item(value)), origin(item("on")), texts=(READING,))
    assert (result.refused, result.records, result.malformed.height) == ({"NotANumber": 1}, 2, 0)
    assert result.points["text"].to_list() == ['"on"']


def test_texts_of_other_points_are_refused_and_those_of_strange_times_too() -> None:
    messages = [origin(item("on", Power="on")), origin(item("on", time=5, Power=1))]
    result = decoded(*messages, selected=(READING, POWER), texts=(READING,))
    assert result.points.select("point", "text").rows() == [("Reading", '"on"')]
    assert (result.refused, result.records) == ({"NotANumber": 1, "InvalidTime": 2}, 4)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400, "9" * 5000])
def test_numbers_that_are_not_finite_are_refused(text: str) -> None:
    result = decoded(json.dumps(origin(item(12345.5))).replace("12345.5", text).encode())
    assert (result.refused, result.points.height, result.malformed.height) == ({"NotFinite": 1}, 0, 0)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (0, "InvalidTime"),
        (-1, "InvalidTime"),
        (-(10**400), "InvalidTime"),
        (NOW // 1000, "SecondsNotMilliseconds"),
        (4_102_444_800, "SecondsNotMilliseconds"),
        (NOW + TOLERANCE + 1, "FutureTime"),
        (NOW * 1000, "FutureTime"),
        (10**30, "FutureTime"),
    ],
)
def test_times_that_cannot_be_are_refused(time: float, reason: str) -> None:
    result = decoded(origin(item(1, time=time, Power=2)), origin(item(1)), selected=(READING, POWER))
    assert (result.refused, result.points.height, result.records) == ({reason: 2}, 1, 3)


def test_a_refusal_names_its_message() -> None:
    result = decoded(origin(item(1)), origin(item(2, time=5), item("x")), origin(item([1, None, "y"])))
    assert sorted(result.refusals.rows()) == [(1, "InvalidTime"), (1, "NotANumber"), *[(2, "NotANumber")] * 2]


@pytest.mark.parametrize("time", [NOW + TOLERANCE, 1_136_073_600_000, 100_000_000_000, 1.7e12])
def test_times_up_to_the_tolerance_and_back_to_1973_are_accepted(time: float) -> None:
    assert decoded(origin(item(time=time))).points["time"].to_list() == [int(time)]


def test_the_offline_channel_accepts_future_times_but_no_microseconds() -> None:
    result = decoded(origin(item(time=NOW * 2)), origin(item(time=NOW * 1000)), tolerance=None)
    assert (result.points["time"].to_list(), result.refused) == ([NOW * 2], {"InvalidTime": 1})


GOOD = json.dumps(origin(item(1))).encode()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "EmptyMessage"),
        (b"", "EmptyMessage"),
        (b" \n", "EmptyMessage"),
        (origin(), "EmptyMessage"),
        (origin(payload=None), "EmptyMessage"),
        (b"\xff\xfe{}", "InvalidUtf8"),
        (GOOD[:-1] + b"\x80}", "InvalidUtf8"),
        (GOOD[:-1], "InvalidJson"),
        (GOOD + b"}", "InvalidJson"),
        (GOOD + GOOD, "InvalidJson"),
        (b"Reading=5", "InvalidJson"),
        (b"[" * 100_000, "TooDeep"),
        (b"[]", "NotAnObject"),
        (b"null", "NotAnObject"),
        (b"42", "NotAnObject"),
        (b"{}", "MissingField"),
        ({"modelId": "Meter"}, "MissingField"),
        ({"payload": [item()]}, "MissingField"),
        (origin({"time": NOW, "measurepoints": {"Reading": 1}}), "MissingField"),
        (origin({"assetId": "m1", "measurepoints": {"Reading": 1}}), "MissingField"),
        (origin({"assetId": "m1", "time": NOW}), "MissingField"),
        (origin(modelId=5), "WrongType"),
        (origin(modelId=""), "WrongType"),
        (origin(item(), modelIdPath=5), "WrongType"),
        (origin(payload={"assetId": "m1"}), "WrongType"),
        (origin("text"), "WrongType"),
        (origin(item(asset=5)), "WrongType"),
        (origin(item(asset="")), "WrongType"),
        (origin(item(asset="\ud800")), "InvalidUtf8"),
        (origin(item(time="1700000000000")), "WrongType"),
        (origin(item(time=True)), "WrongType"),
        (origin(item(time=1.5)), "WrongType"),
        (origin(item(time=float("nan"))), "WrongType"),
        (origin(item(time=float("inf"))), "WrongType"),
        (origin({"assetId": "m1", "time": NOW, "measurepoints": [1]}), "WrongType"),
        (record(pointId=None), "WrongType"),
        (record(time=None), "WrongType"),
    ],
)
def test_a_message_that_cannot_be_read_names_its_reason_and_spoils_no_other(message: Message, reason: str) -> None:
    result = decoded(origin(item(1)), message, origin(item(2)))
    assert faults(result) == [(1, reason)]
    assert result.points["value"].to_list() == [1.0, 2.0]


def test_a_broken_item_dead_letters_the_message_and_keeps_the_good_items() -> None:
    result = decoded(origin(item(1), {"assetId": "m2"}, item(3, asset="m3")))
    assert [row[:2] for row in values(result)] == [("m1", "Reading"), ("m3", "Reading")]
    assert result.malformed.rows() == [(0, "MissingField", "payload[1].time: missing")]


def test_the_detail_of_a_fault_holds_no_value_of_the_message() -> None:
    result = decoded(origin(item(asset="m1", time="secret")), b'{"secret": nope}')
    assert not any("secret" in detail for detail in result.malformed["detail"])


def test_a_missing_model_path_is_the_model_itself() -> None:
    message = origin(item())
    del message["modelIdPath"]
    assert decoded(message, origin(item(), modelIdPath=None)).points["model_path"].to_list() == ["/Meter", "/Meter"]


def test_points_that_are_not_selected_are_counted_and_not_read() -> None:
    result = decoded(
        origin(item(1, Other="x", Power=[1, 2])), origin(item(5), modelId="Pump"), record(2, point="Other")
    )
    assert (values(result), result.unused, result.records) == ([("m1", "Reading", NOW, 1.0, True)], 4, 1)


def test_of_repeated_keys_the_last_counts() -> None:
    raw = GOOD.replace(b'"Reading": 1', b'"Reading": 1, "Reading": 2')
    assert decoded(raw).points["value"].to_list() == [2.0]


def test_a_byte_order_mark_is_ignored() -> None:
    assert decoded(b"\xef\xbb\xbf" + GOOD).points.height == 1


def test_a_message_of_a_megabyte_and_one_of_a_hundred_levels_are_read() -> None:
    deep = json.loads('{"a":' * 100 + "1" + "}" * 100)
    result = decoded(origin(item(1, Text="x" * 2**20)), origin(item(2, Deep=deep)))
    assert (result.points["value"].to_list(), result.unused) == ([1.0, 2.0], 2)


def test_escaped_and_foreign_letters_are_read() -> None:
    result = decoded(origin(item(asset='a"\\\n')), origin(item(asset="ζähler\u2028😀")))
    assert result.points["asset"].to_list() == ['a"\\\n', "ζähler\u2028😀"]


def test_no_messages_give_empty_columns() -> None:
    result = decoded()
    assert (result.points.height, result.malformed.height, result.refused, result.records) == (0, 0, {}, 0)
    assert result.points.schema == decoded(origin(item())).points.schema


def test_arrival_order_is_kept_across_forms() -> None:
    messages: list[Message] = [
        origin(item(n)) if n % 3 else record(n) if n % 2 else origin(item({"value": n})) for n in range(300)
    ]
    result = decoded(*messages)
    assert result.points["value"].to_list() == [float(number) for number in range(300)]
    assert result.points["message"].to_list() == list(range(300))
    assert result.points["message"].dtype == pl.UInt32
