"""Which records the energy templates take, and in which order."""

from unit.runtime.energy_bench import BASE, INSTANT, METER, Run, days, energy_job, rows


def test_what_is_out_of_order_is_dropped_and_counted() -> None:
    run = Run(METER, energy_job(METER, {}))
    run.feed(rows((2, 10), (1, 5), (2, 11), (3, 12)))
    run.feed(rows((2.5, 99)))
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 2}, 3)


def test_a_flat_record_does_not_make_an_earlier_one_late() -> None:
    run = Run(METER, energy_job(METER, {"slopeThreshold": "[0, 50]"}))
    run.feed(rows((10, 100), (10.5, 100)))
    run.feed(rows((10.25, 105), (11, 110), (10.75, 120)))
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 10}, 1)


def test_a_power_out_of_order_is_late_even_where_the_last_one_was_the_same() -> None:
    run = Run(INSTANT, energy_job(INSTANT, {}))
    run.feed(rows((10, 4), (10.5, 4), (10.25, 6), (11, 8)))
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 6}, 1)


def test_a_day_that_was_given_is_given_again_with_a_record_that_came_after_a_flat_one() -> None:
    run = Run(METER, energy_job(METER, {}))
    assert run.feed(rows((20, 10), (25, 10))) == [("final", ("a", "M::Day0", BASE), 0)]
    assert run.feed(rows((23, 12))) == [("final", ("a", "M::Day0", BASE), 2)]
    run.feed(rows((26, 13)))
    run.close()
    assert days(run) == {0: 2, 1: 1}


def test_a_calculated_input_keeps_the_first_of_a_repeated_time_once_the_reference_has_moved_on() -> None:
    run = Run(METER, energy_job(METER, {}), calculated=["M::A"])
    run.feed(rows((1, 10), (2, 15), (1, 12), (2, 17), (3, 20)))
    run.close()
    assert (days(run), run.counts["repeated"], run.counts["late"]) == ({0: 10}, 1, 1)


def test_on_a_calculated_input_only_the_time_of_the_reference_is_known_to_come_again() -> None:
    for kind in (METER, INSTANT):
        run = Run(kind, energy_job(kind, {}), calculated=["M::A"])
        run.feed(rows((1, 10), (3, 12)))
        run.feed(rows((2, 11)))
        assert (run.counts["repeated"], run.counts["late"]) == (0, 1), "its time was never there before"
        run.feed(rows((3, 13)))
        assert (run.counts["repeated"], run.counts["late"]) == (1, 1)


def test_a_calculated_input_replaces_what_waits_at_the_same_time() -> None:
    for calculated, energy, late in (([], 5, 2), (["M::A"], 7, 0)):
        run = Run(METER, energy_job(METER, {}, latency="2h"), calculated=calculated)
        run.feed(rows((1, 10), (2, 14)))
        run.feed(rows((2, 16), (2, 17), (3, 15), (5, 15)))
        run.close()
        assert (days(run), run.counts["late"]) == ({0: energy}, late)
        assert run.counts["repeated"] == 0


def test_a_latency_puts_records_in_order() -> None:
    run = Run(METER, energy_job(METER, {}, latency="1h"))
    run.feed(rows((1, 10), (1.5, 12), (1.25, 11)))
    run.feed(rows((24, 30)))
    assert days(run) == {}, "the record of the next day waits"
    run.feed(rows((25, 31)))
    assert days(run) == {0: 2}
    assert run.counts["late"] == 0


def test_a_series_in_two_partitions_is_told() -> None:
    run = Run(METER, energy_job(METER, {}))
    run.feed(rows((1, 10)), rows((2, 15)))
    assert run.counts["severalPartitions"] == 1
