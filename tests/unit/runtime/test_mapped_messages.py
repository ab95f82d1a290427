"""Messages of other people's devices: what a mapping finds in them, and what becomes of everything else."""

import json
from typing import Any

import pytest

from streamjob_api.assets import AssetFilter
from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_runtime.messages import Decoded, decode

NOW = 1_700_000_000_000
SECONDS = NOW // 1000
READING, POWER = PointRef("Meter", "Reading"), PointRef("Meter", "Power")
MAPPING: dict[str, Any] = {
    "asset": "device.id",
    "time": {"path": "ts", "unit": "s"},
    "model": {"name": "Meter"},
    "points": {"Reading": "values.energy", "Power": "values.power"},
}
ONE_VALUE: dict[str, Any] = {
    **{name: part for name, part in MAPPING.items() if name != "points"},
    "point": {"path": "sensor", "names": {"energy": "Reading", "energy (kWh)": "Reading", "40001": "Power"}},
    "value": "reading",
}
BATCH: dict[str, Any] = {**MAPPING, "records": "readings", "asset": "$.device.id", "points": {"Reading": "energy"}}


def message(**fields: Any) -> dict[str, Any]:
    return {"device": {"id": "m1"}, "ts": SECONDS, "values": {"energy": 1.5}, **fields}


def batch(*readings: Any, **fields: Any) -> dict[str, Any]:
    return {"device": {"id": "m1"}, "readings": list(readings), **fields}


def reading(value: Any = 1, ts: Any = SECONDS) -> dict[str, Any]:
    return {"ts": ts, "energy": value}


def decoded(
    *messages: Any,
    selected: tuple[PointRef, ...] = (READING,),
    by: dict[str, Any] = MAPPING,
    texts: tuple[PointRef, ...] = (),
    **filters: list[str],
) -> Decoded:
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
    mapping, assets = MessageMapping.model_validate(by), AssetFilter.model_validate(filters)
    return decode(raw, frozenset(selected), NOW, 300_000, mapping=mapping, assets=assets, texts=frozenset(texts))


def values(result: Decoded) -> list[tuple[Any, ...]]:
    return result.points.select("asset", "point", "time", "value", "is_int").rows()


def test_a_mapped_message_gives_what_the_service_form_gives() -> None:
    (row,) = decoded(message()).points.rows(named=True)
    place = {"message": 0, "asset": "m1", "model": "Meter", "model_path": "/Meter", "point": "Reading"}
    assert row == {**place, "time": NOW, "value": 1.5, "is_int": False}


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (7, [(7.0, True)]),
        ("7", [(7.0, True)]),
        ("-4.25e1", [(-42.5, False)]),
        ({"value": "42.5", "quality": 0}, [(42.5, False)]),
        ([1, "2.5", {"value": 3}], [(1.0, True), (2.5, False), (3.0, True)]),
    ],
)
def test_a_number_may_be_written_as_a_string(value: Any, numbers: list[tuple[float, bool]]) -> None:
    assert decoded(message(values={"energy": value})).points.select("value", "is_int").rows() == numbers


@pytest.mark.parametrize("value", ["", " 7", "7,5", "0x7", "seven", "NaN", "+7", "07", True, None, {}, []])
def test_what_is_no_number_is_refused_as_in_the_service_form(value: Any) -> None:
    result = decoded(message(values={"energy": value}), message())
    assert (result.refused, result.records, result.malformed.height) == ({"NotANumber": 1}, 2, 0)


@pytest.mark.parametrize(
    ("value", "number", "text"), [("on", None, '"on"'), (True, None, "true"), ("7", 7, None), ("7,5", None, '"7,5"')]
)
def test_a_string_without_a_number_is_a_text_where_the_point_may_have_one(
    value: Any, number: float | None, text: str | None
) -> None:
    result = decoded(message(values={"energy": value}), texts=(READING,))
    assert result.points.select("value", "text").rows() == [(number, text)]


@pytest.mark.parametrize(("given", "asset"), [("m1", "m1"), (17, "17"), (-1, "-1"), ("ü", "ü")])
def test_an_asset_is_a_string_or_a_whole_number(given: Any, asset: str) -> None:
    assert decoded(message(device={"id": given})).points["asset"].to_list() == [asset]


def test_names_with_dots_and_list_indices_lead_to_values() -> None:
    mapping = {**MAPPING, "asset": "ids[1]", "points": {"Reading": "['energy.total']['it\\'s']"}}
    found = decoded({"ids": ["no", "m2"], "ts": SECONDS, "energy.total": {"it's": 4}}, by=mapping)
    assert values(found) == [("m2", "Reading", NOW, 4.0, True)]


def test_members_of_an_object_are_points_except_asset_and_time() -> None:
    mapping = {"asset": "id", "time": {"path": "ts", "unit": "s"}, "model": {"path": "type"}, "values": "$"}
    result = decoded({"id": "m1", "ts": SECONDS, "type": "Meter", "Reading": 1, "Other": 2}, by=mapping)
    assert (values(result), result.unused) == ([("m1", "Reading", NOW, 1.0, True)], 1)


def test_each_element_of_a_list_is_a_record() -> None:
    result = decoded(batch(reading(1), reading("2", SECONDS + 1)), by=BATCH)
    assert [row[2:4] for row in values(result)] == [(NOW, 1.0), (NOW + 1000, 2.0)]


def test_the_message_itself_may_be_the_list() -> None:
    mapping = {**MAPPING, "records": "$", "asset": "[0]", "time": {"path": "[1]", "unit": "s"}}
    result = decoded([["m1", SECONDS, 5], ["m2", SECONDS, 6]], by={**mapping, "points": {"Reading": "[2]"}})
    assert [row[:4] for row in values(result)] == [("m1", "Reading", NOW, 5.0), ("m2", "Reading", NOW, 6.0)]


def test_a_model_that_the_message_names_decides_which_points_are_read() -> None:
    mapping = {**MAPPING, "model": {"path": "type"}}
    result = decoded(message(type="Meter"), message(type="Pump"), by=mapping)
    assert (result.points["message"].to_list(), result.unused) == ([0], 1)


def test_points_that_are_not_there_are_not_missed_but_a_record_without_any_is_counted() -> None:
    result = decoded(message(values={"power": 2}), message(values={}), message(values=5), selected=(READING, POWER))
    assert [row[1] for row in values(result)] == ["Power"]
    assert result.refusals.rows() == [(1, "NoPoint"), (2, "NoPoint")]


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (0, "InvalidTime"),
        (-SECONDS, "InvalidTime"),
        (10**30, "FutureTime"),
        (NOW, "FutureTime"),
        (SECONDS + 301, "FutureTime"),
    ],
)
def test_times_that_cannot_be_are_refused(time: Any, reason: str) -> None:
    assert decoded(message(ts=time)).refused == {reason: 1}


@pytest.mark.parametrize(
    ("unit", "time", "reason"),
    [
        ("ms", SECONDS, "SecondsNotMilliseconds"),
        ("iso8601", "1972-06-30T00:00:00Z", "InvalidTime"),
        ("s", 70_000_000, "InvalidTime"),
    ],
)
def test_only_milliseconds_are_taken_for_seconds(unit: str, time: Any, reason: str) -> None:
    assert decoded(message(ts=time), by={**MAPPING, "time": {"path": "ts", "unit": unit}}).refused == {reason: 1}


def test_a_time_without_zone_is_refused() -> None:
    mapping = {**MAPPING, "time": {"path": "ts", "unit": "iso8601"}}
    result = decoded(message(ts="2023-11-14T22:13:20"), message(ts="2023-11-14T22:13:20Z"), by=mapping)
    assert (result.refused, result.points["time"].to_list()) == ({"InvalidTime": 1}, [NOW])


@pytest.mark.parametrize(
    ("broken", "reason", "detail"),
    [
        (b"", "EmptyMessage", "no bytes"),
        (b"{", "InvalidJson", "Expecting property name enclosed in double quotes at character 1"),
        (b"\xff", "InvalidUtf8", "invalid start byte at byte 0"),
        (b"42", "NotAnObject", "message: expected an object or a list, got number"),
        ({}, "MissingField", "device.id: missing"),
        ({"device": {"id": 1}}, "MissingField", "ts: missing"),
        (message(device="m1"), "MissingField", "device.id: missing"),
        (message(device={"id": ""}), "WrongType", "device.id: expected a string that is not empty or a whole number, "),
        (message(device={"id": 1.5}), "WrongType", "device.id: expected "),
        (message(device={"id": True}), "WrongType", "device.id: expected "),
        (message(device={"id": "\ud800"}), "InvalidUtf8", "device.id: half of a surrogate pair"),
        (message(ts="soon"), "WrongType", "ts: expected a number of s, got string"),
        (message(ts=None), "WrongType", "ts: expected a number of s, got null"),
    ],
)
def test_a_message_that_cannot_be_read_names_the_path_and_spoils_no_other(
    broken: Any, reason: str, detail: str
) -> None:
    result = decoded(message(), broken, message())
    ((number, given, told),) = result.malformed.rows()
    assert (number, given, told[: len(detail)]) == (1, reason, detail)
    assert result.points["message"].to_list() == [0, 2]


@pytest.mark.parametrize(
    ("broken", "reason", "detail"),
    [
        ({"device": {"id": "m1"}}, "MissingField", "readings: missing"),
        (batch(), "EmptyMessage", "readings: empty"),
        ({"readings": None}, "EmptyMessage", "readings: empty"),
        ({"readings": {}}, "WrongType", "readings: expected a list, got object (empty)"),
        (batch(reading(), 5), "WrongType", "readings[1]: expected an object or a list, got number"),
        (batch(reading(), {"energy": 1}), "MissingField", "readings[1].ts: missing"),
        ({"readings": [reading()]}, "MissingField", "$.device.id: missing"),
    ],
)
def test_a_broken_record_is_named_by_its_place_in_the_list(broken: Any, reason: str, detail: str) -> None:
    assert decoded(broken, by=BATCH).malformed.rows() == [(0, reason, detail)]


def test_a_broken_record_dead_letters_the_message_and_keeps_the_good_ones() -> None:
    result = decoded(batch(reading(1), {}, reading(3)), by=BATCH)
    assert (result.points["value"].to_list(), result.malformed.height) == ([1.0, 3.0], 1)


def test_values_that_are_no_object_are_a_fault() -> None:
    mapping = {name: part for name, part in MAPPING.items() if name != "points"} | {"values": "values"}
    result = decoded(message(values=[1]), message(values={"Reading": 2}), {"device": {"id": 1}, "ts": 1}, by=mapping)
    assert result.malformed["detail"].to_list() == ["values: expected an object, got list", "values: missing"]
    assert result.points["value"].to_list() == [2.0]


def one_value(sensor: Any, value: Any, **fields: Any) -> dict[str, Any]:
    return {"device": {"id": "m1"}, "ts": SECONDS, "sensor": sensor, "reading": value, **fields}


@pytest.mark.parametrize(
    ("sensor", "point"),
    [("Reading", "Reading"), ("energy", "Reading"), ("energy (kWh)", "Reading"), (40001, "Power"), ("40001", "Power")],
)
def test_a_record_may_name_its_one_point_by_its_id_or_otherwise(sensor: Any, point: str) -> None:
    result = decoded(one_value(sensor, "2.5"), selected=(READING, POWER), by=ONE_VALUE)
    assert values(result) == [("m1", point, NOW, 2.5, False)]


def test_a_value_of_a_named_point_may_be_all_that_a_value_is() -> None:
    result = decoded(one_value("energy", {"value": 1}), one_value("energy", [2, "3"]), by=ONE_VALUE)
    assert [row[3] for row in values(result)] == [1.0, 2.0, 3.0]


def test_a_named_point_that_no_job_reads_is_unused_whatever_its_value() -> None:
    result = decoded(one_value("status", "on"), one_value("Other", 1), one_value("energy", "on"), by=ONE_VALUE)
    assert (result.unused, result.records, result.refused) == (2, 1, {"NotANumber": 1})


def test_all_records_of_a_message_may_be_of_the_point_that_it_names() -> None:
    mapping = {**ONE_VALUE, "asset": "$.device.id", "records": "readings", "point": {"path": "$.sensor"}}
    sent = {"device": {"id": "m1"}, "sensor": "Power", "readings": [{"ts": SECONDS, "reading": n} for n in (1, 2)]}
    assert [row[1::2] for row in values(decoded(sent, selected=(POWER,), by=mapping))] == [
        ("Power", 1.0),
        ("Power", 2.0),
    ]


@pytest.mark.parametrize(
    ("broken", "reason", "detail"),
    [
        ({"device": {"id": "m1"}, "ts": SECONDS, "reading": 1}, "MissingField", "sensor: missing"),
        ({"device": {"id": "m1"}, "ts": SECONDS, "sensor": "status"}, "MissingField", "reading: missing"),
        (
            one_value(None, 1),
            "WrongType",
            "sensor: expected a string that is not empty or a whole number, got null",
        ),
        (one_value("", 1), "WrongType", "sensor: expected "),
    ],
)
def test_a_record_without_its_point_or_value_cannot_be_read(broken: Any, reason: str, detail: str) -> None:
    ((_, given, told),) = decoded(one_value("energy", 1), broken, by=ONE_VALUE).malformed.rows()
    assert (given, told[: len(detail)]) == (reason, detail)


def test_assets_that_are_left_out_are_counted_and_nothing_else() -> None:
    messages = [message(device={"id": asset}, values={"energy": value}) for asset in "ab" for value in (1, "x", True)]
    result = decoded(*messages, selected=(READING, POWER), include=["a"])
    assert (result.filtered, result.records, result.refused) == (3, 3, {"NotANumber": 2})
    assert result.points["asset"].to_list() == ["a"]
