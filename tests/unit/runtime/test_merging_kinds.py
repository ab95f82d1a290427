"""Merging over repetitions, texts, truth values and attributes, a few records at a time"""

import pytest

from oracles.expressions import Value
from streamjob_runtime.templates.surroundings import AttributeValue, NoScalar
from unit.runtime.merging_bench import BASE, Known, Run, calculated, merging_job, names, template_of, ticking_job

A, B, T, U = "M::A", "M::B", "M::T", "M::U"


def at(seconds: float) -> int:
    return BASE + round(seconds * 1000)


def out(seconds: float, value: Value, number: int = 0) -> tuple[tuple[str, str, int], Value]:
    return ("a", f"M::Out{number}", at(seconds)), value


def test_a_repeated_calculated_trigger_calculates_again_with_the_newer_values() -> None:
    run = Run(merging_job({}), calculated(A))
    assert run.feed([("a", B, at(0), 1), ("a", A, at(1), 10), ("a", B, at(2), 2)]) == [out(1, 9)]
    assert run.feed([("a", A, at(1), 20), ("a", A, at(0), 30)]) == [out(1, 18)]
    assert run.counts == {"late": 1}


def test_a_repeated_calculated_value_replaces_and_triggers_nothing() -> None:
    run = Run(merging_job({}), calculated(B))
    assert run.feed([("a", B, at(0), 1), ("a", B, at(0), 2)]) == []
    assert run.feed([("a", A, at(1), 10), ("a", A, at(1), 20)]) == [out(1, 8)]
    assert run.counts == {"late": 1}


def test_a_record_that_is_replaced_while_it_waits_never_has_its_turn() -> None:
    run = Run(merging_job({}, latency="10s"), calculated(A))
    run.feed([("a", B, at(0), 1), ("a", A, at(5), 10)])
    assert run.feed([("a", A, at(5), 20), ("a", A, at(15), 0)]) == [out(5, 19)]
    assert run.feed([("a", A, at(5), 30)]) == [out(5, 29)]
    assert run.close() == [out(15, -1)]


def test_a_waiting_value_that_is_replaced_is_seen_as_it_was_at_the_time() -> None:
    b = [("a", B, at(5), 1), ("a", B, at(5), 2)]
    policies = {"triggerPoint": A}, {"triggerPoint": B}
    run = Run(merging_job(*policies, latency="10s"), calculated(B))
    assert run.feed([("a", A, at(6), 10), b[0], ("a", A, at(16), 20), b[1], ("a", A, at(26), 0)]) == [
        out(6, 9),
        out(16, 18),
    ]


def test_texts_and_truth_values_are_calculated_with_and_given() -> None:
    job = merging_job(
        {"logic": 'if (${M::T} == "on") { ${M::A} } else { 0 }'},
        {"logic": '${M::T} + "!"'},
        {"logic": "!${M::U}"},
        {"logic": "${M::A} > 3"},
    )
    run = Run(job)
    assert set(map(str, run.template.texts)) == {T, U}
    run.feed([("a", T, at(0), "on"), ("a", U, at(0), True)])
    assert run.feed([("a", A, at(1), 5)]) == [out(1, 5), out(1, "on!", 1), out(1, False, 2), out(1, True, 3)]
    run.feed([("a", T, at(2), 'é "'), ("a", U, at(2), False)])
    assert run.feed([("a", A, at(3), 2)]) == [out(3, 0), out(3, 'é "!', 1), out(3, True, 2), out(3, False, 3)]


def test_a_value_of_another_type_than_the_expression_needs_is_counted() -> None:
    run = Run(merging_job({"logic": '${M::T} == "1"'}, {"logic": "if (${M::U}) { 1 } else { 0 }"}))
    run.feed([("a", T, at(0), 1), ("a", U, at(0), "true"), ("a", A, at(1), 0)])
    assert (run.results, run.counts) == ({}, {"wrongType": 2})
    run.feed([("a", T, at(2), "1"), ("a", U, at(2), 1), ("a", A, at(3), 0)])
    assert (run.results, run.counts) == (dict([out(3, True)]), {"wrongType": 3})


def test_texts_that_wait_keep_what_they_are() -> None:
    run = Run(merging_job({"logic": "${M::T}", "triggerPoint": T}, latency="10s"), calculated(known=names(texts=[T])))
    run.feed([("a", T, at(0), "x"), ("a", T, at(1), "true"), ("a", T, at(2), 3)])
    assert run.feed([("a", T, at(11), "y")]) == [out(0, "x"), out(1, "true")]
    assert run.feed([("a", T, at(14), "z")]) == []
    assert run.counts == {"wrongType": 1}
    assert run.close() == [out(11, "y"), out(14, "z")]


def test_a_trigger_that_the_models_call_a_text_may_be_one() -> None:
    job = merging_job({"triggerPoint": T, "logic": "${M::A} * 2"})
    assert not template_of(job).texts
    run = Run(job, calculated(known=names(texts=[T])))
    assert run.feed([("a", A, at(0), 4), ("a", T, at(1), "go")]) == [out(1, 8)]


@pytest.mark.parametrize(
    ("logic", "value"), [("${M::A}", "5"), ("${M::A} / 2", "2.5"), ("${M::A} > 3", "true"), ('"x"', "x")]
)
def test_an_output_of_a_type_that_is_not_known_is_given_texts(logic: str, value: str) -> None:
    policy = {"logic": f"if (${{M::A}} == 0) {{ {logic} }} else {{ {logic} }}"}
    run = Run(merging_job(policy), calculated(known=names(texts=["M::Out0"])))
    assert run.feed([("a", A, at(1), 5)]) == [out(1, value)]


LIMITED = {"logic": "if (${M::A} > 9) { ${M::A} / ${M::P} } else { ${M::A} }"}


def test_each_asset_has_its_own_attributes_and_each_is_read_once() -> None:
    known = Known({("a", "M::P"): 2, ("b", "M::P"): 4})
    run = Run(merging_job(LIMITED), calculated(attributes=known, known=names(["M::P"])), shards=1)
    run.feed([("b", A, at(1), 10), ("a", A, at(1), 10), ("a", A, at(2), 20), ("a", A, at(3), 1)])
    assert run.results == dict([out(1, 5.0), out(2, 10.0), out(3, 1.0), (("b", "M::Out0", at(1)), 2.5)])
    assert known.reads == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("value", "counted"),
    [
        (None, "attributeMissing"),
        ("2", "attributeInvalid"),
        (True, "attributeInvalid"),
        (NoScalar(), "attributeInvalid"),
        (10**400, "attributeInvalid"),
        (0, "divisionByZero"),
    ],
)
def test_an_attribute_that_cannot_be_used_is_counted_where_it_is_needed(value: AttributeValue, counted: str) -> None:
    run = Run(merging_job(LIMITED), calculated(attributes=Known({("a", "M::P"): value}), known=names(["M::P"])))
    assert run.feed([("a", A, at(1), 10), ("a", A, at(2), 1)]) == [out(2, 1.0)]
    assert run.counts == {counted: 1}


def test_an_attribute_is_no_input_and_the_state_is_the_same_with_and_without_models() -> None:
    told = template_of(merging_job(LIMITED), calculated(known=names(["M::P"])))
    assert set(map(str, told.inputs)) == {A}
    assert told.identity == template_of(merging_job(LIMITED)).identity


def test_attributes_may_be_texts_and_truth_values() -> None:
    known = Known({("a", "M::Q"): "north", ("a", "M::P"): True})
    job = merging_job({"logic": 'if (${M::P} && ${M::Q} == "north") { ${M::A} } else { 0 }'})
    assert Run(job, calculated(attributes=known, known=names(["M::P", "M::Q"]))).feed([("a", A, at(1), 3)]) == [
        out(1, 3)
    ]


def test_at_each_tick_the_latest_values_count_and_the_time_is_the_ticks() -> None:
    run = Run(ticking_job("10s", {}))
    assert run.feed([("a", A, at(3), 10), ("a", B, at(1), 4)], now=at(4)) == []
    assert set(run.deadlines.values()) == {at(10)}
    assert run.feed([("a", A, at(8), 20)], now=at(9)) == []
    assert run.feed(now=at(10.2)) == [out(10, 16)]
    assert run.feed([("a", B, at(19), 5)], now=at(20)) == [out(20, 15)], "records come before the tick"
    assert run.feed(now=at(30)) == [out(30, 15)], "though nothing has changed"


def test_missed_ticks_are_not_made_up() -> None:
    run = Run(ticking_job("10s", {}))
    run.feed([("a", A, at(3), 10), ("a", B, at(1), 4)], now=at(4))
    assert run.start_again(now=at(57)) == [out(50, 6)]
    assert run.start_again(now=at(58)) == []
    assert set(run.deadlines.values()) == {at(60)}


def test_an_asset_takes_part_from_the_tick_after_its_first_micro_batch() -> None:
    run = Run(ticking_job("10s", {}), shards=1)
    run.feed([("b", A, at(3), 10), ("b", B, at(1), 4)], now=at(4))
    assert run.feed([("a", A, at(10), 3), ("a", B, at(10), 1)], now=at(11)) == [(("b", "M::Out0", at(10)), 6)]
    assert run.feed(now=at(20)) == [(("b", "M::Out0", at(20)), 6), out(20, 2)]


def test_a_value_that_is_missing_at_a_tick_is_counted_while_any_other_is_known() -> None:
    run = Run(ticking_job("10s", {"maxAge": "15s"}))
    run.feed([("a", A, at(5), 10)], now=at(6))
    assert [run.feed(now=at(10)), run.counts["missing"]] == [[], 1]
    assert run.feed([("a", B, at(19), 1)], now=at(20)) == [out(20, 9)], "a value may be as old as maxAge"
    assert [run.feed(now=at(30)), run.counts["missing"]] == [[], 2]
    assert not run.deadlines, "at 40 nothing is known any more: there is nothing to do"
    assert run.counts == {"missing": 2}


def test_a_job_without_records_has_no_ticks() -> None:
    run = Run(ticking_job("1s", {}))
    assert run.start_again(now=at(1)) == []
    assert not run.deadlines


def test_with_ticks_only_a_later_record_counts_or_one_that_replaces() -> None:
    run = Run(ticking_job("10s", {"logic": "${M::A} + ${M::B}"}), calculated(B))
    run.feed([("a", A, at(3), 1), ("a", A, at(3), 2), ("a", B, at(3), 10), ("a", B, at(3), 20)], now=at(4))
    run.feed([("a", A, at(2), 3), ("a", B, at(2), 30)], now=at(5))
    assert run.feed(now=at(10)) == [out(10, 21)]
    assert run.counts == {"late": 3}
