"""YAML as the API server's clients read it, with lines; hostile input is refused."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from streamjob_cli.yaml_documents import YamlFault, documents


def contents(text: str | bytes) -> list[Any]:
    return [content for content, _ in documents(text if isinstance(text, bytes) else text.encode())]


def fault(text: str | bytes) -> tuple[int | None, str]:
    with pytest.raises(YamlFault) as refused:
        contents(text)
    return refused.value.line, refused.value.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        (".5", 0.5),
        ("1.", 1.0),
        ("-7", -7),
        ("0x1F", 31),
        ("010", 8),
        ("1.0", 1.0),
        ("'1.0'", "1.0"),
        ("1.2.3", "1.2.3"),
        ("12abc", "12abc"),
        ("1e", "1e"),
        ("yes", True),
        ("~", None),
        ("'[0, 100)'", "[0, 100)"),
    ],
)
def test_scalars_are_read_as_by_go(text: str, value: Any) -> None:
    (content,) = contents(f"a: {text}")
    assert content == {"a": value}
    assert type(content["a"]) is type(value)


def test_documents_follow_one_another() -> None:
    assert contents("---\na: 1\n---\n---\nb: 2\n") == [{"a": 1}, None, {"b": 2}]


def test_anchors_and_merge_keys_are_written_out() -> None:
    assert contents("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}") == [{"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}]


def test_every_field_knows_its_line() -> None:
    text = b"apiVersion: x\nspec:\n  policies:\n  - input: 1\n    output: 2\n  - {input: 3}\n---\nspec: {}\n"
    (_, first), (_, second) = documents(text)
    assert [first.of(path) for path in ("apiVersion", "spec", "spec.policies[0].output", "spec.policies[1]")] == [
        1,
        2,
        5,
        6,
    ]
    assert second.first == 8


def test_names_with_dots_are_found_by_their_quotes() -> None:
    ((_, lines),) = documents(b"spec:\n  properties:\n    a: 1\n    a.b: {c: 2}\n")
    assert (lines.of("spec.properties['a.b'].c"), lines.of('spec.properties["a.b"]')) == (4, 4)


def test_a_missing_field_is_at_the_line_of_what_should_hold_it() -> None:
    ((_, lines),) = documents(b"apiVersion: x\nspec:\n  policies:\n  - input: 1\n")
    assert (lines.of("spec.policies[0].output"), lines.of("spec.policies[7].input"), lines.of("metadata.name")) == (
        4,
        3,
        1,
    )


LAUGHS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'ha'}]" for n in range(10))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n b: 2", 2, "mapping values are not allowed"),
        ("a: [1, 2", 1, "expected ',' or ']'"),
        ("a: 1\nb: 2\na: 3", 3, "'a' is given twice"),
        ("[" * 100_000, 1, "nested too deeply"),
        ("- " * 100_000, 1, "nested too deeply"),
        ("a: &a [*a]", 1, "aliases make it too large"),
        (LAUGHS, 5, "aliases make it too large"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []", 2, "tag"),
        ("a: !!int x", 1, "tag"),
        ("? [1]\n: 2", 1, "unhashable key"),
        ("a: 1\nname: {{ .Values.name }}", 2, "helm template ./chart | streamjob validate -"),
        ("{{- if .Values.on }}\na: 1", 1, "helm template ./chart | streamjob validate -"),
        ("threshold: [0, 100)\nb: 2", 2, """; put quotes around an interval, as in "[0, 100)\""""),
        ("- {slopeThreshold: (0, 100]}", 1, "; put quotes around an interval"),
        ("a:\n\tb: 1", 2, "; indent with blanks, not with tabs"),
        ("a: " + "9" * 5000, 1, "too many digits"),
        ("a: 1\nb: \x00", 2, "U+0000"),
        (b"a: 1\nb: \xff", 2, "UTF-8"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str | bytes, line: int, words: str) -> None:
    at, told = fault(text)
    assert words in told
    assert at == line


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbfa: 1")
@example(b"\xe2\x80\xa8")
@example(b"!<x> a")
@example(b"? ? ?")
@example(b"%YAML 9.9\n---\na")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(YamlFault):
        list(documents(data))


# The dumper takes what Go reads as a number (1e3) for a text that needs no quotes.
TEXTS = st.text(max_size=20).filter(lambda text: not text[:2].strip("+-.")[:1].isdigit())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
        max_leaves=12,
    )
)
def test_what_is_dumped_is_read_back(value: Any) -> None:
    assert contents(yaml.safe_dump(value)) == [value]


def test_names_that_are_no_texts_become_texts_as_with_kubectl() -> None:
    ((content, lines),) = documents(b"points:\n  1: a\n  on: b\n  No: c\n  2.5: d\n")
    assert content == {"points": {"1": "a", "true": "b", "false": "c", "2.5": "d"}}
    assert lines.of("points.true") == 3
