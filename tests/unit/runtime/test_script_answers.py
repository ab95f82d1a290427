"""Answers of a script's process are trusted in nothing."""

import pytest

from streamjob_runtime.scripts.answers import BadAnswer, outcome
from streamjob_runtime.scripts.process import Answer
from streamjob_runtime.scripts.wire import MAX_HEAD, PREFIX, BadMessage, packed, unpacked
from unit.runtime.script_calls import as_call


def test_bad_answers_are_faults() -> None:
    head, parts = as_call({"asset": [0], "time": [1_700_000_000_000], "value": [1.0], "is_int": [0], "point": [0]})
    assert outcome(Answer(None, head, parts), 1, 1, 1).given.height == 1
    for name, bad in (
        ("asset", b"\1\0\0\0"),
        ("asset", b"\0\0\0\0" * 2),
        ("asset", b"\0\0\0"),
        ("point", b"\1\0"),
        ("time", bytes(8)),
        ("text", b'{"a": 1}'),
        ("text", b'"a'),
        ("text", b'"\xff"'),
        ("text", b"\n"),
        ("rejected", b"\0\0\0\0"),
        ("state_of", b"\0\0\0\0\0\0\0\0"),
        ("state", b"\n\n"),
    ):
        with pytest.raises(BadAnswer):
            outcome(Answer(None, head, {**parts, name: memoryview(bad)}), 1, 1, 1)
    for causes in (None, 3, ["x"] * 1001):
        with pytest.raises(BadAnswer):
            outcome(Answer(None, {"causes": causes}, parts), 1, 1, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xff\xff\xff{}",
        b"\2\0\0\0[]",
        b"\2\0\0\0{}",
        b'\x13\0\0\0{"parts": {"a": 1}}',
        b'\x14\0\0\0{"parts": {"a": -1}}',
        b'\x0c\0\0\0{"parts": 1}',
        (40_000).to_bytes(4, "little") + b"[" * 40_000,
        (MAX_HEAD + 1).to_bytes(4, "little") + b" " * (MAX_HEAD + 1),
    ],
)
def test_what_is_no_message_is_told(body: bytes) -> None:
    with pytest.raises(BadMessage):
        unpacked(body, MAX_HEAD)


def test_a_message_comes_as_it_went() -> None:
    head, parts = unpacked(packed(7, {"fault": None}, {"a": b"xy", "b": b""})[PREFIX.size :], MAX_HEAD)
    assert head["fault"] is None
    assert {name: bytes(part) for name, part in parts.items()} == {"a": b"xy", "b": b""}
