"""What scripts make of records, and what becomes of records for which they fail."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fixtures.confinement import needs_confinement
from streamjob_api.calculators.parameters import parsed
from streamjob_api.permissions import Permissions, Scripts
from streamjob_calculators import python_evaluator
from streamjob_calculators.python_evaluator import PythonEvaluator
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.scripts.process import end_all
from streamjob_runtime.templates import Surroundings
from streamjob_runtime.templates.pipeline_runs import StageRun
from unit.calculators.pipelines import Outcome, Sent, run, stage

DOUBLES = """
import polars as pl

def evaluate(records):
    return records.select("asset", "time", pl.col("value") * 2)
"""
COUNTS = """
def evaluate(records, state, output, error):
    for record in records:
        state["sum"] = state.get("sum", 0) + record["value"]
        output.write(time=record["time"], value=state["sum"])
"""
OF_ANOTHER_ASSET = "records.select('time', 'value', asset=pl.lit('m9'))"
OF_ANOTHER_POINT = "records.select('asset', 'time', 'value', point=pl.lit('M::Z'))"
IN_SECONDS = "records.select('asset', 'value', time=pl.col('time') // 1000)"
RESULT = "asset, point, quality, text, time, value"
ALLOWED = Surroundings(allowed=Permissions(scripts=Scripts(max_seconds=20, max_memory=128)))


@pytest.fixture(autouse=True)
def _processes_end() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def causes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Records by the cause for which they were rejected."""
    found: list[tuple[int, str]] = []
    reject = StageRun.reject

    def noted(self: StageRun, records: pl.DataFrame, cause: str) -> None:
        if records.height:
            found.append((records.height, cause))
        reject(self, records, cause)

    monkeypatch.setattr(StageRun, "reject", noted)
    return found


def evaluated(script: str, *micro_batches: Sequence[Sent], mode: str = "batch", **more: Any) -> Outcome:
    points = {"output": "M::X"} if "outputs" not in more else {}
    own = stage("python-evaluator", inputs=["M::A"], script=script, mode=mode, **points, **more)
    return run([own], *micro_batches, surroundings=ALLOWED)


def faults(script: str, mode: str = "batch", **more: Any) -> list[str]:
    points = {"output": "M::X"} if not more else {}
    raw = {"inputs": ["M::A"], "script": script, "mode": mode, **points, **more}
    return [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in parsed(PythonEvaluator, raw)[1]]


@needs_confinement
def test_a_batch_is_one_call_with_columns() -> None:
    found = evaluated(DOUBLES, [Sent("A", 1, 5), Sent("A", 2, 7.5, "m2"), Sent("B", 3, 1)])
    assert found.values("assetId", "pointId", "time", "value", "attr") == [
        ("m1", "X", 1, 10, {}),
        ("m2", "X", 2, 15, {}),
    ]


@needs_confinement
def test_a_state_is_of_an_asset_and_outlives_micro_batches() -> None:
    found = evaluated(
        COUNTS, [Sent("A", 1, 5), Sent("A", 2, 7, "m2")], [Sent("A", 3, 9), Sent("A", 4, 1)], mode="record"
    )
    assert found.values("assetId", "time", "value") == [("m1", 1, 5), ("m2", 2, 7), ("m1", 3, 14), ("m1", 4, 15)]


@needs_confinement
@settings(max_examples=15, deadline=None)
@given(
    some.lists(some.tuples(some.sampled_from("abc"), some.integers(-9, 9)), min_size=1, max_size=20),
    some.sets(some.integers(1, 19)),
)
def test_a_script_by_records_does_not_depend_on_how_they_are_cut(sent: list[tuple[str, int]], cuts: set[int]) -> None:
    records = [Sent("A", number, value, asset) for number, (asset, value) in enumerate(sent)]
    bounds = [0, *sorted(cut for cut in cuts if cut < len(records)), len(records)]
    found = evaluated(COUNTS, *(records[begin:end] for begin, end in pairwise(bounds)), mode="record")
    sums: dict[str, int] = {}
    expected = []
    for number, (asset, value) in enumerate(sent):
        sums[asset] = sums.get(asset, 0) + value
        expected.append((asset, number, sums[asset]))
    assert sorted(found.values("assetId", "time", "value")) == sorted(expected)


@needs_confinement
def test_records_have_texts_truth_values_and_whole_numbers_as_they_came() -> None:
    script = """
def evaluate(records, state, output, error):
    for record in records:
        output.write(time=record["time"], value=record["value"], attr={"is": type(record["value"]).__name__})
"""
    found = evaluated(
        script, [Sent("A", 1, 5), Sent("A", 2, 5.5), Sent("A", 3, "ön\n"), Sent("A", 4, True)], mode="record"
    )
    assert found.values("value") == [(5,), (5.5,), ("ön\n",), (True,)]
    assert [json.loads(each)["is"] for each in found.attached("pythonEvaluator")] == ["int", "float", "str", "bool"]


@needs_confinement
def test_several_points_are_given_by_their_names() -> None:
    script = """
import polars as pl

def evaluate(records):
    high = pl.when(pl.col("value") > 5).then(pl.lit("M::X")).otherwise(pl.lit("M::Y"))
    return records.select("asset", "time", high.alias("point"), text=pl.col("value").cast(pl.String))
"""
    found = evaluated(script, [Sent("A", 1, 5), Sent("A", 2, 7)], outputs=["M::X", "M::Y"])
    assert found.values("pointId", "value") == [("Y", "5.0"), ("X", "7.0")]


@needs_confinement
def test_a_failing_asset_keeps_its_state_and_leaves_others_alone(causes: list[tuple[int, str]]) -> None:
    script = (
        COUNTS
        + """
        1 / record["value"]
"""
    )
    found = evaluated(
        script,
        [Sent("A", 1, 1)],
        [Sent("A", 2, 5), Sent("A", 3, 0), Sent("A", 4, 2, "m2")],
        [Sent("A", 5, 1)],
        mode="record",
    )
    assert found.values("assetId", "value") == [("m1", 1), ("m2", 2), ("m1", 2)]
    assert causes == [(2, "the script failed: ZeroDivisionError in line 7")]
    assert found.counted["failed"] == 2


@needs_confinement
def test_a_script_rejects_records_with_causes(causes: list[tuple[int, str]]) -> None:
    script = """
def evaluate(records, state, output, error):
    for record in records:
        if record["value"] < 0:
            error.write(record, "it is below zero")
        else:
            output.write(time=record["time"], value=record["value"])
"""
    found = evaluated(script, [Sent("A", 1, -1), Sent("A", 2, 3), Sent("A", 3, -2, "m2")], mode="record")
    assert found.values("value") == [(3,)]
    assert causes == [(2, "it is below zero")]


@needs_confinement
@pytest.mark.parametrize("mode", ["batch", "record"])
def test_many_records_are_given_in_several_calls(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_evaluator, "_CALL", 4)
    script = COUNTS if mode == "record" else DOUBLES
    sent = [Sent("A", at, at, f"m{at % 3}") for at in range(20)]
    found = evaluated(script, sent, [Sent("A", 20, 1, "m0")], mode=mode)
    sums = {f"m{asset}": sum(range(asset, 20, 3)) for asset in range(3)}
    assert len(found.records) == 21
    last = {asset: value for asset, _, value in sorted(found.values("assetId", "time", "value"))}
    assert last == (sums | {"m0": sums["m0"] + 1} if mode == "record" else {"m0": 2, "m1": 38, "m2": 34})


@needs_confinement
def test_what_is_no_number_is_missing() -> None:
    script = DOUBLES.replace("* 2", "/ (pl.col('value') - 5)")
    found = evaluated(script, [Sent("A", 1, 5), Sent("A", 2, 10)])
    assert (found.values("value"), found.counted["missing"]) == ([(2,)], 1)


@needs_confinement
@pytest.mark.parametrize(
    ("gives", "cause"),
    [
        ("None", "the script gave no DataFrame"),
        ("records.select('time', 'value')", "the script gave no column 'asset'"),
        ("records.select('asset', 'time')", "the script gave neither a column 'value' nor 'text'"),
        (OF_ANOTHER_ASSET, "the script gave a record of an asset that is not among those that it got"),
        (OF_ANOTHER_POINT, "the script gave a record of a point that is not among the outputs"),
        ("records.select('asset', 'value', time=pl.lit(1.5))", "the script gave a time that is no whole number"),
        (IN_SECONDS, "the script gave a time that is not in milliseconds since 1970"),
        ("records.with_columns(more=1)", f"the script gave a column 'more'; those of a result are {RESULT}"),
        ("records.nothing()", "the script failed: AttributeError in line 3"),
    ],
)
def test_what_a_script_must_not_give_is_told(gives: str, cause: str, causes: list[tuple[int, str]]) -> None:
    found = evaluated(f"import polars as pl\ndef evaluate(records):\n    return {gives}\n", [Sent("A", 1, 5)])
    assert (found.records, causes) == ([], [(1, cause)])


@needs_confinement
@pytest.mark.parametrize(
    ("does", "cause"),
    [
        ("output.write(time=1.5, value=1)", "the script gave a time that is no whole number"),
        ("output.write(time=1, value=[])", "the script gave a value that is a list, no number, text or truth value"),
        (
            "output.write(time=1, value=1, point='M::Z')",
            "the script gave a record of a point that is not among the outputs",
        ),
        ("error.write({}, 'no')", "the script rejects a record that is none of those that it got"),
        ("state['a'] = {1, 2}", "the script gave a state that JSON cannot hold"),
        ("state['a'] = 'x' * 16384", "the script keeps a state of more than 16384 characters as JSON"),
    ],
)
def test_what_a_script_must_not_write_is_told(does: str, cause: str, causes: list[tuple[int, str]]) -> None:
    script = f"def evaluate(records, state, output, error):\n    {does}\n"
    found = evaluated(script, [Sent("A", 1, 5)], mode="record")
    assert found.records == []
    assert [told.removesuffix(" in line 2") for _, told in causes] == [cause]


@needs_confinement
def test_what_fails_outside_of_evaluate_is_told_of_every_record(causes: list[tuple[int, str]]) -> None:
    evaluated("1 / 0\n" + DOUBLES, [Sent("A", 1, 5)], [Sent("A", 2, 5)])
    assert causes == [(1, "the script failed: ZeroDivisionError in line 1")] * 2


def test_a_driver_runs_no_script_without_leave() -> None:
    own = stage("python-evaluator", inputs=["M::A"], output="M::X", script=DOUBLES)
    with pytest.raises(InvalidConfiguration, match=r"spec\.pipelines\.scripts does not allow"):
        run([own], [Sent("A", 1, 5)])


def test_leave_is_asked_for() -> None:
    own, _ = parsed(PythonEvaluator, {"inputs": ["M::A"], "output": "M::X", "script": DOUBLES})
    assert own is not None
    assert [fault.message for fault in own.check_allowed(Permissions())] == [
        "runs a script, which spec.pipelines.scripts does not allow; ask for it"
    ]
    assert not list(own.check_allowed(ALLOWED.allowed))


def ready(script: str, mode: str = "batch") -> None:
    raw = {"inputs": ["M::A"], "output": "M::B", "script": script, "mode": mode}
    own, _ = parsed(PythonEvaluator, raw)
    assert isinstance(own, PythonEvaluator)
    own.check_ready(ALLOWED.allowed)


@needs_confinement
def test_what_a_script_fails_for_before_it_is_called_is_told_before_any_record() -> None:
    ready(DOUBLES)
    ready(COUNTS, "record")
    with pytest.raises(
        InvalidConfiguration, match=r"the script failed: ModuleNotFoundError in line 2; mend the script"
    ):
        ready("\nimport not_there\n" + DOUBLES)


@needs_confinement
def test_a_script_that_ends_its_process_at_once_is_left_to_the_records() -> None:
    ready("import os\nos._exit(3)\n" + DOUBLES)


def test_a_script_that_can_run_has_no_faults() -> None:
    assert not faults(DOUBLES)
    assert not faults(COUNTS, "record")
    assert not faults("def evaluate(records, *more, deep=1): return records")
    assert not faults("def evaluate(*all): pass", "record")


@pytest.mark.parametrize(
    ("script", "mode", "fault"),
    [
        ("def evaluate(records:\n  pass", "batch", "script: line 1: '(' was never closed; mend the script"),
        ("x = 1", "batch", "script: defines no evaluate; in the mode batch it has a function def evaluate(records)"),
        (
            "def evaluate(records): pass",
            "record",
            "script: line 1: evaluate has other arguments than the mode record gives it",
        ),
        ("-" * 9000 + "1", "batch", "script: Python cannot read it"),
        ("\0", "batch", "script: source code string cannot contain null bytes; mend the script"),
    ],
)
def test_a_script_that_cannot_run_is_refused_before(script: str, mode: str, fault: str) -> None:
    (found,) = faults(script, mode)
    assert found.startswith(fault)


def test_outputs_are_named_in_one_way() -> None:
    both = faults(DOUBLES, output="M::X", outputs=["M::Y"])
    assert both == ["outputs: output is given too; leave one of them out"]
    assert faults(DOUBLES, outputs=[]) == ["output: required, but missing; name the point that the script gives"]
