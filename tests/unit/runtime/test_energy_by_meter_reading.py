"""Energy by meter reading, rule by rule; slope and scale, also of attributes."""

from collections.abc import Sequence
from typing import Any

import pytest

from oracles.windows import Number
from unit.runtime.energy_bench import BASE, METER, AssetAttributes, Run, closed, days, energy_job, rows


@pytest.mark.parametrize(
    ("pairs", "policy", "energy"),
    [
        pytest.param([(1, 10)], {}, 0, id="the first record is the reference"),
        pytest.param([(1, 10), (2, 15)], {}, 5, id="a difference"),
        pytest.param([(1, 10), (2, 15)], {"scale": 3}, 15, id="times the scale"),
        pytest.param([(1, 10), (2, 60)], {"slopeThreshold": "[0, 50]", "scale": 3}, 150, id="the slope is unscaled"),
        pytest.param([(1, 10), (2, 60.5)], {"slopeThreshold": "[0, 50]"}, 0, id="a jump is lost"),
        pytest.param([(1, 10), (2, 60)], {"slopeThreshold": "[0, 50)"}, 0, id="a bound may be excluded"),
        pytest.param([(1, 10), (2, 90), (3, 95)], {"slopeThreshold": "[0, 50]"}, 5, id="a jump moves the reference"),
        pytest.param([(1, 10), (2, 3), (3, 8)], {}, 5, id="a reset loses its interval alone"),
        pytest.param([(1, 10), (2, 10), (4, 40)], {"slopeThreshold": "[0, 10]"}, 30, id="flat: over the whole stretch"),
        pytest.param([(1, 10), (3.9, 10), (4, 40)], {"slopeThreshold": "[0, 10]"}, 30, id="flat till shortly before"),
        pytest.param([(1, 99), (2, 4)], {"rolloverModulus": 100}, 5, id="a rollover"),
        pytest.param([(1, 50), (2, 4)], {"rolloverModulus": 100, "slopeThreshold": "[0, 50]"}, 0, id="no rollover"),
        pytest.param([(1, 99), (2, 98), (3, 99)], {"rolloverModulus": 100}, 100, id="modulus: slope 99 is in range"),
    ],
)
def test_a_meters_day_is_the_sum_of_its_accepted_differences(
    pairs: Sequence[tuple[float, Number]], policy: dict[str, Any], energy: float
) -> None:
    assert days(closed(METER, pairs, **policy)) == {0: energy}


BOUND = {"slopeLimitAttribute": "M::Limit", "scaleAttribute": "M::Ratio"}


def test_slope_and_scale_are_the_assets() -> None:
    attributes = {("a", "M::Limit"): 5, ("a", "M::Ratio"): 10, ("b", "M::Limit"): 4.9, ("b", "M::Ratio"): 1}
    run = Run(METER, energy_job(METER, BOUND), attributes=attributes)
    run.feed(rows((1, 10), (2, 15)), rows((1, 10), (2, 15), asset="b"))
    run.close()
    assert run.results == {("a", "M::Day0", BASE): 50, ("b", "M::Day0", BASE): 0}
    assert run.counts["outside"] == 1
    assert run.counts["attributeMissing"] + run.counts["attributeInvalid"] == 0


def test_an_attribute_counts_as_it_is_when_the_interval_is_accepted() -> None:
    attributes = AssetAttributes({("a", "M::Limit"): 100, ("a", "M::Ratio"): 2})
    run = Run(METER, energy_job(METER, BOUND), attributes=attributes)
    run.feed(rows((1, 10), (2, 15)))
    attributes.values["a", "M::Ratio"] = 3
    run.feed(rows((3, 20)))
    attributes.values["a", "M::Limit"] = 4
    run.feed(rows((4, 25)))
    run.close()
    assert days(run) == {0: 25}


@pytest.mark.parametrize("value", [0, -1, True, "3", [3], 10**400], ids=repr)
def test_an_attribute_that_is_no_number_above_0_is_as_if_it_were_not_there(value: Any) -> None:
    for given, reason in ((None, "attributeMissing"), (value, "attributeInvalid")):
        attributes = dict.fromkeys([("a", "M::Limit"), ("a", "M::Ratio")], given)
        run = Run(METER, energy_job(METER, BOUND, {"dailyOutput": "M::Fixed"}, BOUND), attributes=attributes)
        run.feed(rows((1, 10), (2, 9999)))
        run.feed(rows((3, 9)))
        run.close()
        assert (days(run), days(run, "M::Fixed")) == ({0: 9989}, {0: 0})
        assert run.counts[reason] == 2 * 2, "a micro-batch and policy"
        assert sum(run.counts[name] for name in ("attributeMissing", "attributeInvalid")) == 4
