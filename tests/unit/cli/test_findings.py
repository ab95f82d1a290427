"""The account of a preview: nothing that was dropped goes unsaid."""

from collections import Counter

from streamjob_cli.findings import Findings, summary


def told(counts: dict[str, int], inputs: tuple[str, ...] = ("M::A",)) -> list[str]:
    return list(summary(Counter(counts), Findings(), inputs))


def test_what_a_template_counts_besides_is_told_by_its_name() -> None:
    counts = {"messages": 9, "records": 9, "severalPartitions": 0, "gapTooLong": 3}
    (row,) = [line for line in told(counts) if "template" in line]
    assert row.split(maxsplit=2) == ["gapTooLong", "3", "as the page of the template or calculator explains"]


def test_used_are_those_that_were_not_refused() -> None:
    rows = told(
        {"messages": 9, "records": 9, "refused.FutureTime": 2, "refused.NotFinite": 1, "malformed.InvalidJson": 4}
    )
    counts = {row.split()[0]: int(row.split()[1]) for row in rows}
    assert (counts["read"], counts["used"], counts["refused"], counts["malformed"]) == (9, 6, 3, 4)
    assert "refused.FutureTime" not in counts


def test_of_many_inputs_the_first_are_named() -> None:
    rows = told({"messages": 1}, tuple(f"M::P{number}" for number in range(7)))
    assert rows[-1] == "No line has a point that the job reads: M::P0, M::P1, M::P2, M::P3 and 3 more."
