"""The assets that a job works on: the column form gives what the model says of one."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_api.assets import AssetFilter
from streamjob_runtime.asset_filter import passing

LETTERS = "abAB-.*?[]!^&~|\\é\n"
patterns = st.lists(
    st.one_of(
        st.sampled_from(["*", "?", "**", "[ab]", "[!a-b]", "[*]", "[]", "[^a]", "[!!]", "[&&~]", "a|b", "(?i)a", "$"]),
        st.text(LETTERS.replace("[", "").replace("\n", ""), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=4,
).map("".join)
lists = st.lists(patterns.filter(lambda text: "[]" not in text), max_size=3)


@settings(max_examples=150, deadline=None)
@given(include=lists, exclude=lists, assets=st.lists(st.text(LETTERS, max_size=5), max_size=8))
def test_the_column_form_gives_what_the_model_says(include: list[str], exclude: list[str], assets: list[str]) -> None:
    chosen = AssetFilter.model_validate({"include": include, "exclude": exclude})
    column = pl.DataFrame({"asset": assets}, schema={"asset": pl.String})
    assert passing(column, chosen)["asset"].to_list() == [asset for asset in assets if chosen.matches(asset)]


@pytest.mark.parametrize("pattern", ["?" * 256, "*a" * 128, "[!a]" * 64])
def test_the_longest_patterns_compile(pattern: str) -> None:
    chosen = AssetFilter.model_validate({"include": [pattern] * 200, "exclude": [pattern] * 200})
    assert passing(pl.DataFrame({"asset": ["b" * 300]}), chosen).is_empty()
