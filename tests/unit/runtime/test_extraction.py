"""Machines find what the crate regex finds, whatever the expression and the texts."""

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_runtime.extraction import extract_groups
from streamjob_runtime.message_shapes import Style, WantedPoints
from streamjob_runtime.native import library
from streamjob_runtime.one_pass import machine_of
from streamjob_runtime.service_shapes import learn
from streamjob_runtime.unlisted_points import NUMBER

ASCII, ANY = Style.of("{}").letter, Style.of("é").letter
GAP = r"[ \t\r\n]*"
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"


@pytest.fixture(scope="module", autouse=True)
def _library_is_built() -> None:
    assert library() is not None, "make setup builds it"


def by_polars(texts: pl.Series, pattern: str) -> pl.DataFrame:
    return texts.str.extract_groups(pattern).struct.unnest()


def assert_same(texts: list[str], pattern: str) -> None:
    column = pl.Series("text", texts, dtype=pl.String)
    assert extract_groups(column, pattern).equals(by_polars(column, pattern))


# Pieces of which shapes are made, each with texts that it matches; those of the first have a group.
PIECES = {
    f'"(?P<{{}}>{ASCII}+)"': ['"a"', '"meter 1"', f'"{"x" * 20}"'],
    f'"(?P<{{}}>{ANY}*)"': ['""', '"é"', '"ü x"', '"\U0001f600"'],
    f"(?P<{{}}>{NUMBER})": ["0", "-1", "12.50", "1e-7", "123456789012345678901"],
    rf"(?P<{{}}>{TIME}\.[0-9]{{3}})": ["23:59.125", "00:00.000"],
    r"(?P<{}>0|[1-9][0-9]{0,4}|[1-8][0-9]{5})": ["0", "12345", "812345"],
    f'(?P<{{}}>"{ASCII}*"|{NUMBER}|true|false|null)': ['"no"', "1.5", "true", "null"],
    rf'\{{{GAP}(?P<{{}}>"{ASCII}*":{NUMBER}(?:,"{ASCII}*":{NUMBER})*)\}}': ['{"a":1}', '{ "a":1,"":2.5}'],
    re.escape('"modelId"'): ['"modelId"'],
    re.escape("Größe.[x]"): ["Größe.[x]"],
    GAP: ["", " ", "\n\t "],
    f"{GAP},{GAP}": [",", " , ", ",\n"],
    f'(?:"{ANY}*"|{NUMBER}|true|false|null)': ['"ß"', "7", "false"],
}


@st.composite
def matchings(draw: st.DrawFn) -> tuple[str, list[str]]:
    """An expression and texts: some that match, some that nearly do."""
    pieces = draw(st.lists(st.sampled_from(list(PIECES)), min_size=1, max_size=6))
    pieces.insert(draw(st.integers(0, len(pieces))), next(iter(PIECES)))
    pattern = "".join(piece.replace("{}", f"g{number}", 1) for number, piece in enumerate(pieces))
    matching = st.tuples(*(st.sampled_from(PIECES[piece]) for piece in pieces)).map("".join)
    texts = draw(st.lists(st.one_of(matching, matching.flatmap(spoiled)), max_size=6))
    return f"^{pattern}$", texts


def spoiled(text: str) -> st.SearchStrategy[str]:
    """A text with another letter somewhere, cut off, or with more at its end."""
    letter = st.sampled_from(list('"{}[],:0e.- \n\\é\x7f\x00'))
    place = st.integers(0, max(0, len(text) - 1))
    return st.one_of(
        st.builds(lambda at, new: text[:at] + new + text[at + 1 :], place, letter),
        st.builds(lambda at: text[:at], place),
        st.builds(lambda new: text + new, letter),
    )


@settings(max_examples=500, deadline=None)
@given(matchings())
def test_finds_what_the_crate_regex_finds(matching: tuple[str, list[str]]) -> None:
    pattern, texts = matching
    assert_same(texts, pattern)


@pytest.mark.parametrize("piece", [piece for piece in PIECES if "(?P<" in piece])
def test_pieces_of_shapes_have_machines(piece: str) -> None:
    assert machine_of(f"^{piece.replace('{}', 'g', 1)}$") is not None


ORIGIN = (
    '{"orgId":"o1","modelId":"Meter","modelIdPath":"/Meter","payload":[{"assetId":"m1","time":1700000000000,'
    '"measurepoints":{"Reading":{"value":1.5,"quality":0},"Other":2}}],"dataFlag":"x"}'
)


@pytest.mark.parametrize("sample", [ORIGIN, ORIGIN.replace(":", ": ").replace(",", ", "), ORIGIN.replace("o1", "ö")])
@pytest.mark.parametrize("flat", [True, False])
def test_shapes_of_origin_messages_have_machines(sample: str, flat: bool) -> None:
    simple = sample.replace('{"value":1.5,"quality":0}', "1.5").replace('{"value": 1.5, "quality": 0}', "1.5")
    shape = learn(simple if flat else sample, WantedPoints(frozenset({"Reading"})), flat=flat)
    assert machine_of(shape.whole) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "^(?P<a>x*)(?P<b>x*)$",  # two ways lead on, and close different groups
        "^(?P<a>x)?y$",  # a group that takes part in some matches only
        r"^(?P<a>\d+)$",  # digits of all scripts
        "^(?P<a>.+)$",
        "^(?P<a>[éü]+)$",
        '^(?P<a>[^"]{2})$',  # letters of several bytes are counted
        "^(?P<a>x+?)x$",
        "(?P<a>x)",
    ],
)
def test_an_expression_without_a_machine_is_matched_all_the_same(pattern: str) -> None:
    assert machine_of(pattern) is None
    assert_same(["x", "xx", "xyx", "y", "xy", "é", "éé", "12", "٣", ""], pattern)


def test_several_ways_that_agree_on_the_groups() -> None:
    pattern = "^(?P<a>(?:x|xy)(?:x|yx))(?P<b>z*)$"
    assert machine_of(pattern) is not None
    assert_same(["xx", "xyx", "xyyxz", "xyxzz", "xy", "xxz"], pattern)


def test_texts_of_any_length_from_any_part_of_a_column() -> None:
    texts = [f"{'k' * length}={'v' * (40 - length)}" for length in range(40)] + ["=", "k", "", "é=ü", "k=v=w"]
    pattern = f"^(?P<key>{ANY[:-1]}=]*)=(?P<value>{ANY[:-1]}=]*)$"
    column = pl.Series("text", texts)
    assert machine_of(pattern) is not None
    for part in (column, column[7:19], column[38:], column.gather([44, 3, 3, 30]), pl.concat([column, column[:5]])):
        assert extract_groups(part, pattern).equals(by_polars(part, pattern))


def test_a_column_without_texts() -> None:
    assert extract_groups(pl.Series("text", [], dtype=pl.String), "^(?P<a>x)$").schema == {"a": pl.String}


def test_more_groups_than_a_machine_has_slots() -> None:
    pattern = "^" + ",".join(f"(?P<g{number}>x*)" for number in range(40)) + "$"
    assert machine_of(pattern) is None
    assert_same([",".join("x" * (number % 3) for number in range(40)), "x"], pattern)


def test_many_texts_some_of_which_match() -> None:
    texts = [ORIGIN.replace("m1", f"m{number}") if number % 7 else "no" for number in range(5_000)]
    pattern = learn(ORIGIN, WantedPoints(frozenset({"Reading"})), flat=False).whole
    assert_same(texts, pattern)
