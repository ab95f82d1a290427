"""Multi-point merging, a few records at a time"""

import pytest

from unit.runtime.merging_bench import BASE, Run, merging_job, template_of

A, B = "M::A", "M::B"


def at(seconds: float) -> int:
    return BASE + round(seconds * 1000)


def out(asset: str, seconds: float, value: float, number: int = 0) -> tuple[tuple[str, str, int], float]:
    return (asset, f"M::Out{number}", at(seconds)), value


def test_each_record_of_the_trigger_point_calculates_once_with_the_last_values() -> None:
    run = Run(merging_job({}))
    assert run.feed([("a", B, at(0), 1), ("a", B, at(1), 3), ("a", A, at(2), 10), ("a", A, at(3), 20)]) == [
        out("a", 2, 7),
        out("a", 3, 17),
    ]
    assert run.feed([("a", B, at(4), 5)]) == []
    assert run.feed([("a", A, at(5), 6.5)]) == [out("a", 5, 1.5)]


def test_assets_know_nothing_of_each_other() -> None:
    run = Run(merging_job({}))
    assert run.feed([("a", B, at(0), 1), ("b", A, at(1), 10)]) == []
    assert run.counts == {"missing": 1}


def test_models_of_one_asset_know_nothing_of_each_other() -> None:
    policies = [{}, {"triggerPoint": "N::A", "logic": "${N::A} - ${N::B}", "output": "N::Out"}]
    run = Run(merging_job(*policies))
    assert run.feed([("a", B, at(0), 1), ("a", "N::A", at(1), 10)]) == []
    assert run.feed([("a", "N::B", at(0), 2), ("a", "N::A", at(2), 10)]) == [(("a", "N::Out", at(2)), 8)]


def test_without_a_latency_the_order_of_arrival_counts() -> None:
    run = Run(merging_job({}))
    # B arrives after A, though it is older; then B runs ahead of A.
    assert run.feed([("a", A, at(2), 10), ("a", B, at(1), 1), ("a", B, at(9), 2), ("a", A, at(3), 10)]) == [
        out("a", 3, 8)
    ]
    assert run.counts == {"missing": 1}


def test_a_record_that_is_not_later_than_the_last_one_of_its_point_is_dropped_and_counted() -> None:
    run = Run(merging_job({}))
    run.feed([("a", B, at(5), 1), ("a", B, at(4), 2), ("a", A, at(6), 10), ("a", A, at(6), 11)])
    run.feed([("a", B, at(5), 3), ("a", A, at(5.5), 12), ("a", A, at(7), 13)])
    assert run.results == dict([out("a", 6, 9), out("a", 7, 12)])
    assert run.counts == {"late": 4}


def test_with_a_latency_values_of_one_time_meet_in_whichever_order_they_arrive() -> None:
    run = Run(merging_job({}, latency="10s"))
    assert (
        run.feed([("a", A, at(10), 100), ("a", A, at(0), 10), ("a", B, at(10), 5), ("a", B, at(0), 1)])
        == [
            # The watermark is at 10 when A of 0 arrives: taken at once, before B came.
        ]
    )
    assert run.counts == {"missing": 1}
    run.feed([("a", A, at(12), 120)])
    assert run.feed([("a", A, at(20), 200), ("a", A, at(22), 220)]) == [out("a", 10, 95), out("a", 12, 115)]
    assert run.close() == [out("a", 20, 195), out("a", 22, 215)]
    assert run.close() == []


def test_what_comes_after_its_turn_is_taken_at_once_unless_a_later_one_was_taken() -> None:
    run = Run(merging_job({}, latency="10s"))
    assert run.feed([("a", B, at(0), 1), ("a", A, at(4), 10), ("a", A, at(20), 10)]) == [out("a", 4, 9)]
    assert run.feed([("a", A, at(7), 20), ("a", A, at(6), 30), ("a", A, at(4), 40)]) == [out("a", 7, 19)]
    assert run.counts == {"late": 2}


def test_what_waits_is_seen_unless_it_is_later() -> None:
    run = Run(merging_job({}, latency="10s"))
    run.feed([("a", B, at(0), 1), ("a", A, at(4), 10), ("a", B, at(3), 2), ("a", B, at(5), 3)])
    assert run.feed([("a", A, at(14), 20)]) == [out("a", 4, 8)]


def test_what_comes_after_the_record_is_taken_is_not_seen() -> None:
    run = Run(merging_job({}, latency="10s"))
    b = [("a", B, at(seconds), seconds) for seconds in (3, 8, 5)]
    assert run.feed([("a", A, at(6), 10), *b[:2], ("a", A, at(16), 20), b[2]]) == [out("a", 6, 7)]


@pytest.mark.parametrize(("age", "missing"), [(10, 0), (10.001, 1)])
def test_a_value_may_be_as_old_as_max_age(age: float, missing: int) -> None:
    run = Run(merging_job({"maxAge": "10s"}))
    run.feed([("a", B, at(0), 1)])
    run.feed([("a", A, at(age), 10)])
    assert (len(run.results), run.counts["missing"]) == (1 - missing, missing)


def test_each_policy_without_a_result_is_counted_by_reason() -> None:
    run = Run(
        merging_job(
            {"logic": "${M::A} / ${M::B}"},
            {"logic": "${M::A} * 1e308"},
            {"logic": "${M::A} + ${M::C}"},
            {"logic": "if (${M::B} == 0) { 0 } else { ${M::A} / ${M::B} + ${M::C} }"},
        )
    )
    assert run.feed([("a", B, at(0), 0), ("a", A, at(1), 10)]) == [out("a", 1, 0.0, 3)]
    assert run.counts == {"divisionByZero": 1, "notFinite": 1, "missing": 1}


def test_integers_give_integers_and_doubles_give_doubles() -> None:
    run = Run(merging_job({}, {"logic": "${M::A} / 2"}))
    values = run.feed([("a", B, at(0), 1), ("a", A, at(1), 10), ("a", A, at(2), 10.0)])
    assert [(key[1:], repr(value)) for key, value in values] == [
        (("M::Out0", at(1)), "9"),
        (("M::Out0", at(2)), "9.0"),
        (("M::Out1", at(1)), "5.0"),
        (("M::Out1", at(2)), "5.0"),
    ]


def test_a_last_value_keeps_its_type() -> None:
    run = Run(merging_job({}))
    run.feed([("a", B, at(0), 1.0)])
    ((_, value),) = run.feed([("a", A, at(1), 10)])
    assert repr(value) == "9.0"


def test_a_value_that_waits_and_is_later_is_as_good_as_none() -> None:
    run = Run(merging_job({}, latency="10s"))
    run.feed([("a", B, at(5), 1)])
    assert run.feed([("a", A, at(4), 10), ("a", A, at(14), 20)]) == []
    assert run.counts == {"missing": 1}


def test_records_of_one_asset_and_point_from_several_partitions_are_counted() -> None:
    run = Run(merging_job({}))
    run.feed([("a", B, at(0), 1)], [("a", A, at(1), 10), ("a", B, at(2), 2)])
    assert run.counts == {"severalPartitions": 1}
    assert run.results == dict([out("a", 1, 9)])


def test_of_several_partitions_one_counts_after_the_other() -> None:
    run = Run(merging_job({}))
    run.feed([("a", B, at(0), 1), ("a", B, at(2), 2)], [("a", A, at(1), 10)])
    assert run.results == dict([out("a", 1, 8)])


def test_the_state_does_not_depend_on_how_the_policies_are_written() -> None:
    one, two = {"output": "M::X"}, {"logic": "${M::A}*(2)", "output": "M::Y"}
    same = template_of(merging_job({"logic": "${M::A} * 2", "output": "M::Y"}, one)).identity
    assert template_of(merging_job(one, two)).identity == same


@pytest.mark.parametrize("change", [{"logic": "${M::A} + ${M::B}"}, {"maxAge": "1m"}, {"triggerPoint": B}])
def test_a_change_of_the_calculation_changes_the_identity(change: dict[str, str]) -> None:
    assert template_of(merging_job(change)).identity != template_of(merging_job({})).identity
