"""The quality of values, as messages of each form have it, read by shapes and one by one."""

import json
from typing import Any

import pytest

from streamjob_api.points import PointRef
from streamjob_runtime.messages import decode
from streamjob_runtime.messages_fast import MIN_MESSAGES

READING, POWER = PointRef("Meter", "Reading"), PointRef("Meter", "Power")
NOW = 1_700_000_000_000


def origin(**points: Any) -> dict[str, Any]:
    return {"modelId": "Meter", "payload": [{"assetId": "m1", "time": NOW, "measurepoints": points}]}


def record(value: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"modelId": "Meter", "assetId": "m1", "pointId": "Reading", "time": NOW, "value": value, **fields}


def qualities(*messages: dict[str, Any], texts: tuple[PointRef, ...] = ()) -> list[int]:
    raw = [json.dumps(message).encode() for message in messages]
    found = decode(raw, frozenset({READING, POWER}), NOW, None, texts=frozenset(texts), qualities=True)
    assert not found.malformed.height
    return found.points["quality"].to_list()


NO_QUALITIES: tuple[Any, ...] = ("9", 9.5, 9.0, True, None, {}, [9], 10**15)
CASES = [
    (origin(Reading=1), [0]),
    (origin(Reading={"value": 1, "quality": 192}), [192]),
    (origin(Reading={"value": 1, "quality": -4}, Power=2), [-4, 0]),
    (origin(Reading={"value": 1, "quality": 9}, Power={"quality": 8, "value": 2.5}), [9, 8]),
    (origin(Reading=[{"value": 1, "quality": 9}, 2]), [9, 0]),
    (origin(Reading={"value": [1, 2], "quality": 9}), [9, 9]),
    (record(quality=192), [192]),
    (record(), [0]),
    (record({"value": 1, "quality": 9}, quality=192), [9]),
    (record({"value": 1}, quality=192), [192]),
    *((origin(Reading={"value": 1, "quality": other}), [0]) for other in NO_QUALITIES),
    *((record(quality=other), [0]) for other in NO_QUALITIES),
]


@pytest.mark.parametrize(("message", "expected"), CASES)
@pytest.mark.parametrize("texts", [(), (READING,)])
def test_what_is_no_whole_number_is_quality_0(
    message: dict[str, Any], expected: list[int], texts: tuple[PointRef, ...]
) -> None:
    assert qualities(message, texts=texts) == expected
    assert qualities(*[message] * MIN_MESSAGES, texts=texts) == expected * MIN_MESSAGES


def test_a_shape_leaves_qualities_of_other_kinds_to_the_complete_reading() -> None:
    sent = [9, "9", 192, None, 9.5, True, 10**15, -1]
    expected = [9, 0, 192, 0, 0, 0, 0, -1] * MIN_MESSAGES
    in_points = [origin(Reading={"value": 1, "quality": each}) for each in sent] * MIN_MESSAGES
    in_records = [record(quality=each) for each in sent] * MIN_MESSAGES
    assert qualities(*in_points) == expected
    assert qualities(*in_records) == expected


def test_qualities_that_nobody_wants_are_no_column() -> None:
    raw = json.dumps(origin(Reading={"value": 1, "quality": 192})).encode()
    assert "quality" not in decode([raw] * MIN_MESSAGES, frozenset({READING}), NOW, None).points.columns
