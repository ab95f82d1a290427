"""Paths into JSON documents."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.json_paths import JsonPath, Step


@pytest.mark.parametrize(
    ("text", "steps", "is_from_message"),
    [
        ("ts", ("ts",), False),
        ("device.id", ("device", "id"), False),
        ("$.device.id", ("device", "id"), True),
        ("$", (), True),
        ("[0]", (0,), False),
        ("$[12].a", (12, "a"), True),
        ("values['energy.total'][3]", ("values", "energy.total", 3), False),
        (r"['it\'s \\ here']", (r"it's \ here",), False),
        ("größe.x-y:z@1", ("größe", "x-y:z@1"), False),
        ("a$b", ("a$b",), False),
    ],
)
def test_a_path_names_members_and_elements(text: str, steps: tuple[Step, ...], is_from_message: bool) -> None:
    path = JsonPath.parse(text)
    assert (path.steps, path.is_from_message, str(path)) == (steps, is_from_message, text)


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ".a", "a.", "a..b", "a b", "$a", "$$", "$.", "a[", "a[]", "a[-1]", "a[01]", "a[10000]", "a[x]"),
        *("a['']", 'a["b"]', "a['b\\n']", "['a'b]", "a.['b']", "a\n", "\x00"),
    ],
)
def test_what_is_no_path_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("is not a path; write ")):
        JsonPath.parse(text)


def quoted(step: Step) -> str:
    return f"[{step}]" if isinstance(step, int) else "['" + re.sub(r"(['\\])", r"\\\1", step) + "']"


names = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(steps=st.lists(st.one_of(st.integers(0, 9999), names), min_size=1, max_size=6), root=st.sampled_from(["", "$"]))
def test_every_name_can_be_written_in_quotes(steps: list[Step], root: str) -> None:
    path = JsonPath.parse(root + "".join(map(quoted, steps)))
    assert (path.steps, path.is_from_message) == (tuple(steps), root == "$")
    assert JsonPath.parse(str(path)) == path


@given(text=st.text(max_size=12))
def test_any_text_is_a_path_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(JsonPath.parse(text)) == text
