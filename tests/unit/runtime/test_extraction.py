"""Machines find what the crate regex finds, whatever the expression and the texts."""

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_runtime.extraction import extract_groups, is_int
from streamjob_runtime.mapped_times import WHOLE
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


def assert_same(texts: list[str] | pl.Series, pattern: str) -> None:
    """What matches, and the groups of what does; numbers as Python reads them."""
    column = pl.Series("text", texts, dtype=pl.String)
    found = extract_groups(column, pattern)
    expected = column.str.extract_groups(pattern).struct.unnest()
    assert found["matched"].to_list() == expected.to_series().is_not_null().to_list()
    found, expected = found.filter("matched").drop("matched"), expected.filter(found["matched"])
    for group in expected.columns:
        written = expected[group].to_list()
        if f"(?P<{group}>{NUMBER})" in pattern:
            assert found[group].to_list() == list(map(float, written))
            assert found[is_int(group)].to_list() == [not set(text) & set(".eE") for text in written]
        elif f"(?P<{group}>{WHOLE.pattern})" in pattern:
            assert found[group].to_list() == list(map(int, written))
        else:
            assert found[group].to_list() == written


# Pieces of which shapes are made, each with texts that it matches; those of the first have a group.
PIECES = {
    f'"(?P<{{}}>{ASCII}+)"': ['"a"', '"meter 1"', f'"{"x" * 20}"'],
    f'"(?P<{{}}>{ANY}*)"': ['""', '"é"', '"ü x"', '"\U0001f600"'],
    f"(?P<{{}}>{WHOLE.pattern})": ["0", "-7", "1700000000000", "999999999999999"],
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
        assert_same(part, pattern)


def test_a_column_without_texts() -> None:
    assert extract_groups(pl.Series("text", [], dtype=pl.String), "^(?P<a>x)$").schema == {
        "matched": pl.Boolean,
        "a": pl.String,
    }


def test_more_groups_than_a_machine_has_slots() -> None:
    pattern = "^" + ",".join(f"(?P<g{number}>x*)" for number in range(40)) + "$"
    assert machine_of(pattern) is None
    assert_same([",".join("x" * (number % 3) for number in range(40)), "x"], pattern)


def numbers() -> st.SearchStrategy[str]:
    digits = st.text("0123456789", min_size=1, max_size=40)
    whole = st.one_of(st.just("0"), st.integers(1, 10**30).map(str))
    fraction = st.one_of(st.just(""), digits.map(".{}".format))
    exponent = st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), digits)
    signs = st.sampled_from(["", "-"])
    made = st.builds("{}{}{}{}".format, signs, whole, fraction, st.one_of(st.just(""), exponent))
    return st.one_of(made, st.floats(allow_nan=False, allow_infinity=False).map(repr))


@settings(max_examples=500, deadline=None)
@given(st.lists(numbers(), min_size=1, max_size=8))
def test_numbers_are_rounded_to_the_nearest_double(texts: list[str]) -> None:
    """Also those of more digits than a double has, and beyond its range."""
    assert_same(texts, f"^(?P<v>{NUMBER})$")


LIMITS = ["-0", "-0.0", "1e400", "-1e400", "1e-400", "9007199254740993", "9007199254740992.5", "123456789012345678"]
LIMITS += ["2.2250738585072011e-308", "4.9e-324", "8.41e21", "0.1"]


@pytest.mark.parametrize("text", [*LIMITS, "1" * 400, f"0.{'0' * 400}1"])
def test_numbers_at_the_limits(text: str) -> None:
    assert_same([text], f"^(?P<v>{NUMBER})$")
    (value,) = extract_groups(pl.Series([text]), f"^(?P<v>{NUMBER})$")["v"]
    assert str(value) == str(float(text))  # the sign of a zero


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("ab1", max_size=4), min_size=1, max_size=30))
def test_a_text_that_begins_as_the_one_before_it(parts: list[str]) -> None:
    """Of which only the rest is looked at: also after one that does not match, and with other places of the groups."""
    texts = ["".join(parts[: number % len(parts)]) + "," + parts[number] for number in range(len(parts))]
    assert_same(texts, "^(?P<a>a*)(?P<b>b[ab]*)(?P<c>1*),(?P<d>[ab]*)$")
    assert_same(texts, "^(?P<a>[ab1]*),a(?P<b>[ab1]*)$")


def test_many_texts_some_of_which_match() -> None:
    texts = [ORIGIN.replace("m1", f"m{number}") if number % 7 else "no" for number in range(5_000)]
    pattern = learn(ORIGIN, WantedPoints(frozenset({"Reading"})), flat=False).whole
    assert_same(texts, pattern)
