"""What counts say beside those that were accepted."""

from pathlib import Path

import pytest

from benchmarks.instructions.baseline import NOTHING, Baseline, read, write
from benchmarks.instructions.callgrind import Counts, read_counts
from benchmarks.instructions.client_requests import UNCOUNTED, is_under_valgrind, write_counts
from benchmarks.instructions.verdicts import Verdict, differences, judge, not_comparable
from benchmarks.instructions.versions import level_of

ACCEPTED = Baseline({"polars": "2.1.0"}, "a processor", {"decode": 1_000})
V3 = "fpu avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


def verdict(counts: Counts, baseline: Baseline = ACCEPTED) -> Verdict:
    (only,) = judge(counts, baseline, tolerance=0.05)
    return only


@pytest.mark.parametrize(
    ("counted", "is_slower", "is_faster"),
    [(1_051, True, False), (1_050, False, False), (1_000, False, False), (950, False, False), (949, False, True)],
)
def test_only_what_goes_beyond_the_tolerance_is_slower_or_faster(
    counted: int, is_slower: bool, is_faster: bool
) -> None:
    judged = verdict({"decode": (counted,)})
    assert (judged.is_slower, judged.is_faster, judged.fault is not None) == (is_slower, is_faster, is_slower)


def test_the_fault_tells_both_counts_the_factor_and_how_to_accept() -> None:
    assert verdict({"decode": (1_500,)}).fault == (
        "decode takes 1,500 instructions, accepted are 1,000: 1.50 times as many, tolerated are 1.05. "
        "If it is worth that, accept it: make instructions-accept"
    )


def test_the_least_of_several_calls_counts() -> None:
    judged = verdict({"decode": (1_100, 1_000, 1_010)})
    assert judged.instructions == 1_000
    assert judged.spread == pytest.approx(0.1)
    assert judged.fault is None


def test_a_function_that_was_never_accepted_is_a_fault() -> None:
    new = next(judged for judged in judge({"decode": (1_000,), "new": (1,)}, ACCEPTED, 0.05) if judged.name == "new")
    assert new.fault == "new is not in the baseline; make instructions-accept takes it in"


def test_a_function_that_is_not_counted_any_more_is_a_fault() -> None:
    assert (
        verdict({}).fault
        == "decode is in the baseline and is not counted any more; make instructions-accept forgets it"
    )


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(ACCEPTED, tmp_path / "baseline.json")
    assert read(tmp_path / "baseline.json") == ACCEPTED
    assert read(tmp_path / "none.json") is NOTHING


def test_versions_that_differ_are_named_with_both() -> None:
    different = differences({"polars": "2.2.0", "libc": "1"}, {"polars": "2.1.0", "libc": "1", "numpy": "2"})
    assert different == {"polars": ("2.1.0", "2.2.0"), "numpy": ("2", "none")}
    assert "numpy none (baseline: 2); polars 2.2.0 (baseline: 2.1.0)" in not_comparable(dict(sorted(different.items())))


def test_a_processor_counts_as_v3_only_with_all_of_its_features() -> None:
    assert level_of(V3 + " avx512f") == "x86-64-v3"
    assert level_of(V3.replace(" fma", "")) == "x86-64 below v3"


def test_calls_are_read_in_the_order_of_callgrinds_files_and_its_last_file_is_left_out(tmp_path: Path) -> None:
    for number, name, total in ((2, "decode", 20), (10, "decode", 100), (1, "decode", 10), (3, UNCOUNTED, 7)):
        text = f"desc: Trigger: Client Request: {name}\nevents: Ir\n\nfn=(1)\n0 {total}\n\ntotals: {total}\n"
        (tmp_path / f"callgrind.out.{number}").write_text(text)
    (tmp_path / "callgrind.out.11").write_text("desc: Trigger: Program termination\n\ntotals: 5\n")
    assert read_counts(tmp_path) == {"decode": (10, 20, 100)}


def test_a_client_request_does_nothing_without_valgrind() -> None:
    write_counts("nothing")
    assert not is_under_valgrind()
