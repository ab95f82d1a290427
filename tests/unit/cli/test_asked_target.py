"""``--to`` as people write it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamjob_api.checkpoint_tools import OffsetRow, Position, Target
from streamjob_cli.asked_target import target_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("earliest", Target(end="earliest")),
        ("2026-01-31T08:00:00Z", Target(time=datetime(2026, 1, 31, 8, tzinfo=UTC))),
        (
            "0=12, 3=0",
            Target(positions=[Position(partition=0, position=12), Position(partition=3, position=0)]),
        ),
    ],
)
def test_forms(text: str, wanted: Target) -> None:
    assert target_of(text, None) == wanted


def test_a_topic_holds_for_all_forms() -> None:
    assert target_of("latest", "t").topic == "t"
    assert target_of("0=1", "t").positions == [Position(topic="t", partition=0, position=1)]


def test_what_show_has_printed_can_be_gone_back_to(tmp_path: Path) -> None:
    file = tmp_path / "before.jsonl"
    rows = [OffsetRow(topic="t", partition=number, position=7, latest=9, lag=2) for number in range(2)]
    file.write_text("\n".join(row.model_dump_json(exclude_none=True) for row in rows) + "\n\n")
    assert target_of(f"@{file}", None).positions == [
        Position(topic="t", partition=number, position=7) for number in range(2)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("newest", "'newest' is no place to read on from; write earliest, latest, a time"),
        ("2026-01-31T08:00:00", "has no time zone"),
        ("0=x", "'0=x' is not of the form partition=offset"),
        ("-1=5", "'-1=5' is not of the form partition=offset"),
    ],
)
def test_other_forms_are_refused_with_those_there_are(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        target_of(text, None)


@pytest.mark.parametrize("line", ["[]", "{}", "nothing", '{"partition": 0, "position": -1}'])
def test_a_file_of_another_form_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "x"
    file.write_text(f'{{"partition": 0, "position": 1}}\n{line}\n')
    with pytest.raises(ValueError, match=r"x:2: .* is no line like"):
        target_of(f"@{file}", None)
    file.write_text("\n")
    with pytest.raises(ValueError, match="holds no positions"):
        target_of(f"@{file}", None)
    with pytest.raises(OSError, match="No such file"):
        target_of(f"@{tmp_path / 'y'}", None)
