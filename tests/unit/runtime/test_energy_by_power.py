"""Energy by instant and by average power, rule by rule."""

from collections.abc import Sequence
from typing import Any

import pytest

from oracles.windows import Number
from unit.runtime.energy_bench import AVERAGE, INSTANT, Run, closed, days, energy_job, rows

POWERS = [(1, 4), (2, 6), (3, 50), (4, 8)]
LINE = {"interpolation": "Linear", "maxGap": "4h"}


an_invalid_power = pytest.mark.parametrize(
    ("kind", "interpolation", "energy"),
    [
        (INSTANT, "Ignore", 14),
        (INSTANT, "LastValue", 20),
        (INSTANT, "Linear", 21),
        (AVERAGE, "Ignore", 5),
        (AVERAGE, "LastValue", 18),
        (AVERAGE, "Linear", 19),
    ],
)


@an_invalid_power
def test_the_example_of_an_invalid_power(kind: str, interpolation: str, energy: float) -> None:
    run = closed(kind, POWERS, threshold="[0, 12]", interpolation=interpolation, maxGap="2h")
    assert (days(run), run.counts["outside"]) == ({0: energy}, 1)


@pytest.mark.parametrize(
    ("kind", "pairs", "policy", "energy"),
    [
        pytest.param(INSTANT, [(1, 4), (3, 6)], {}, 12, id="instant: it holds back"),
        pytest.param(AVERAGE, [(1, 4), (3, 6)], {}, 10, id="average: a trapezoid"),
        pytest.param(INSTANT, [(1, 50), (2, 50), (3, 6)], {"interpolation": "LastValue"}, 6, id="no last value yet"),
        pytest.param(AVERAGE, [(1, 50), (2, 4), (3, 6)], {"interpolation": "LastValue"}, 5, id="none at the begin"),
        pytest.param(AVERAGE, [(1, 4), (2, 50), (3, 50)], {"interpolation": "LastValue"}, 8, id="both ends invalid"),
        pytest.param(INSTANT, [(1, 4), (2, 6), (4, 6)], {"maxGap": "1h"}, 6, id="longer than the longest gap"),
        pytest.param(INSTANT, [(1, 4), (2, 6)], {"powerUnit": "W", "energyUnit": "kWh"}, 0.006, id="W to kWh"),
        pytest.param(AVERAGE, [(1, 4), (2, 6)], {"powerUnit": "kW", "energyUnit": "Wh"}, 5000, id="kW to Wh"),
        pytest.param(INSTANT, [(1, 4), (2, 6)], {"powerUnit": "W", "energyUnit": "Wh"}, 6, id="nothing to convert"),
    ],
)
def test_a_power_is_integrated(
    kind: str, pairs: Sequence[tuple[float, Number]], policy: dict[str, Any], energy: float
) -> None:
    assert days(closed(kind, pairs, threshold="[0, 12]", **policy)) == {0: energy}


@an_invalid_power
def test_the_last_valid_power_is_known_in_later_micro_batches(kind: str, interpolation: str, energy: float) -> None:
    run = Run(kind, energy_job(kind, {"threshold": "[0, 12]", "interpolation": interpolation, "maxGap": "2h"}))
    for power in POWERS:
        run.feed(rows(power))
    run.close()
    assert days(run) == {0: energy}


@pytest.mark.parametrize(
    ("kind", "pairs", "policy", "energy"),
    [
        pytest.param(INSTANT, [(1, 4), (2, 50), (5, 8)], LINE, 5 + 3 * 8, id="instant: each holds back"),
        pytest.param(AVERAGE, [(1, 4), (2, 50), (5, 8)], LINE, 4 * 6, id="average: one trapezoid"),
        pytest.param(INSTANT, [(1, 4), (2, 50), (3, -50), (5, 8)], LINE, 5 + 6 + 16, id="several passed over"),
        pytest.param(AVERAGE, [(1, 4), (3, 50), (5.1, 8)], LINE, 0, id="longer than the longest gap"),
        pytest.param(INSTANT, [(1, 4), (3, 50), (5.1, 8)], LINE, 0, id="instant: longer than the longest gap"),
        pytest.param(AVERAGE, [(1, 4), (3, 50), (5.1, 8), (6.1, 6)], LINE, 7, id="what ends it is the new reference"),
        pytest.param(INSTANT, [(1, 50), (2, 4), (3, 6)], LINE, 6, id="nothing before the first valid one"),
        pytest.param(AVERAGE, [(1, 4), (2, 6), (3, 50)], LINE, 5, id="nothing after the last valid one"),
        pytest.param(INSTANT, [(1, 4), (2, 6)], LINE | {"powerUnit": "kW", "energyUnit": "Wh"}, 6000, id="units"),
    ],
)
def test_a_straight_line_is_drawn_where_powers_are_invalid(
    kind: str, pairs: Sequence[tuple[float, Number]], policy: dict[str, Any], energy: float
) -> None:
    run = closed(kind, pairs, threshold="[0, 12]", **policy)
    assert days(run) == {0: energy}
    one_by_one = Run(kind, energy_job(kind, {"threshold": "[0, 12]", **policy}))
    for pair in pairs:
        one_by_one.feed(rows(pair))
    one_by_one.close()
    assert one_by_one.results == run.results


def test_the_energy_of_a_line_goes_where_it_ends_or_to_the_days_that_it_crosses() -> None:
    pairs = [(23, 4), (24, 50), (25, 8)]
    assert days(closed(AVERAGE, pairs, threshold="[0, 12]", **LINE)) == {0: 0, 1: 12}
    assert days(closed(AVERAGE, pairs, threshold="[0, 12]", midnight="Proportional", **LINE)) == {0: 6, 1: 6}


def test_policies_of_one_input_have_references_of_their_own_where_lines_are_drawn() -> None:
    job = energy_job(INSTANT, *(LINE | {"threshold": threshold} for threshold in ("[0, 12]", "[0, 5]", "[5, 100]")))
    run = Run(INSTANT, job)
    for pair in POWERS:
        run.feed(rows(pair))
    run.close()
    assert [days(run, f"M::Day{number}") for number in range(3)] == [{0: 21}, {0: 0}, {0: 58}]
    assert run.counts["outside"] == 1 + 3 + 1


def test_a_sum_that_overflows_is_null() -> None:
    run = closed(INSTANT, [(1, 1e308), (2, 1e308)])
    assert days(run) == {0: None}
