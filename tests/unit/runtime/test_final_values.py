"""A job that wants final values leaves results that may still change out, and counts them."""

import json
from typing import Any

import pytest

from streamjob_api.points import PointRef
from streamjob_runtime.final_values import without_intermediate
from streamjob_runtime.messages import Decoded, decode

NOW = 1_700_000_000_000
CALCULATED, RAW = PointRef("M", "Max"), PointRef("M", "Raw")


def record(point: PointRef, value: float, **attr: Any) -> bytes:
    fields = {"modelId": point.model, "assetId": "a", "pointId": point.point, "time": NOW, "value": value}
    return json.dumps(fields | ({"attr": attr} if attr else {})).encode()


def taken(*values: bytes | None) -> Decoded:
    decoded = decode(values, frozenset({CALCULATED, RAW}), NOW, 1000)
    return without_intermediate(decoded, values, frozenset({CALCULATED}))


def test_only_final_results_are_taken() -> None:
    modes = ["onTime", "final", "early", "running", "final"]
    decoded = taken(*(record(CALCULATED, n, windowAggregator={"calMode": mode}) for n, mode in enumerate(modes)))
    assert decoded.points["value"].to_list() == [1, 4]
    assert (decoded.intermediate, decoded.records) == (3, 5)


@pytest.mark.parametrize(
    "other",
    ["NaN", "-Infinity", "1e999", "9" * 5000, '"\\ud800"', "[" * 200 + "]" * 200],
    ids=lambda other: other[:12],
)
def test_what_else_a_result_says_hides_no_mode(other: str) -> None:
    intermediate = record(CALCULATED, 1, windowAggregator={"calMode": "onTime"})
    final = record(CALCULATED, 2, windowAggregator={"calMode": "final"})
    texts = [text.replace(b'"attr": {', b'"attr": {"z": %s, ' % other.encode(), 1) for text in (intermediate, final)]
    decoded = taken(*texts)
    assert decoded.points["value"].to_list() == [2]
    assert decoded.intermediate == 1


def test_a_byte_order_mark_hides_no_mode() -> None:
    mode = {"calMode": "early"}
    decoded = taken(b"\xef\xbb\xbf" + record(CALCULATED, 1, windowAggregator=mode), record(CALCULATED, 2))
    assert (decoded.points["value"].to_list(), decoded.intermediate) == ([2], 1)


def test_a_result_that_names_no_mode_is_final_whatever_else_it_says() -> None:
    odd = [record(CALCULATED, 1), record(CALCULATED, 2, other=3), record(CALCULATED, 3, energy={"calMode": None})]
    decoded = taken(*odd)
    assert decoded.points["value"].to_list() == [1, 2, 3]
    assert decoded.intermediate == 0


def test_raw_inputs_and_unreadable_messages_are_left_as_they_are() -> None:
    decoded = taken(record(RAW, 1, windowAggregator={"calMode": "onTime"}), None, b"\xff", b'{"attr"')
    assert decoded.points["value"].to_list() == [1]
    assert (decoded.intermediate, decoded.malformed.height) == (0, 3)
