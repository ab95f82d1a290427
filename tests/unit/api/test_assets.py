"""Patterns of asset ids."""

import contextlib
import fnmatch
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamjob_api.assets import AssetFilter, AssetPattern


def chosen(**lists: list[str]) -> AssetFilter:
    return AssetFilter.model_validate(lists)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("meter-*", ["meter-", "meter-7", "meter-a/b\n"], ["Meter-7", "a-meter-7", "meter"]),
        ("p?mp", ["pump", "p-mp"], ["pmp", "puump"]),
        ("site-[12]", ["site-1", "site-2"], ["site-3", "site-12"]),
        ("[a-c][!0-9]", ["ax", "b-"], ["a1", "dx"]),
        ("[*][?][[]", ["*?["], ["abc"]),
        ("a.b|c]", ["a.b|c]"], ["axb", "c]"]),
        ("größe-[äö]", ["größe-ä"], ["größe-a"]),
    ],
)
def test_a_pattern_is_of_the_whole_id(pattern: str, inside: list[str], outside: list[str]) -> None:
    assert [asset for asset in inside + outside if chosen(include=[pattern]).matches(asset)] == inside


def test_nothing_included_is_everything_and_exclusion_wins() -> None:
    assert chosen().is_open
    assert chosen().matches("anything")
    both = chosen(include=["a*", "b*"], exclude=["*-test", "b1"])
    assert [asset for asset in ("a1", "a-test", "b1", "b2", "c") if both.matches(asset)] == ["a1", "b2"]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"include": ["meter-["]}, "include.0: Value error, 'meter-[' is not a pattern of asset ids; write "),
        ({"include": [""]}, "include.0: Value error, '' is not a pattern of asset ids"),
        ({"exclude": ["a", "[z-a]"]}, "exclude.1: Value error, '[z-a]': z-a is no range; the lower character comes "),
        ({"include": ["a\n"]}, "include.0: Value error, 'a\\n' is not a pattern"),
        ({"include": [5]}, "include.0: Value error, expected a text, got the number 5; write a pattern"),
        ({"include": ["a" * 257]}, "include.0: Value error, too long: 257 characters, at most 256"),
        ({"include": ["a"] * 201}, "include: List should have at most 200 items"),
        ({"only": ["a"]}, "only: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(lists: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        AssetFilter.model_validate(lists)
    (fault,) = raised.value.errors()
    assert f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".startswith(message)


patterns = st.text(st.sampled_from("ab-*?"), min_size=1, max_size=6)


@given(pattern=patterns, asset=st.text(st.sampled_from("abAB-"), max_size=6))
def test_patterns_mean_what_they_mean_in_a_shell(pattern: str, asset: str) -> None:
    assert chosen(include=[pattern]).matches(asset) == fnmatch.fnmatchcase(asset, pattern)


@given(text=st.text(max_size=10))
def test_any_text_is_a_pattern_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        pattern = AssetPattern.parse(text)
        assert str(pattern) == text
        assert chosen(include=[text]).include == [pattern]
