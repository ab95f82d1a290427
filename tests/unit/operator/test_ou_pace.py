"""Passes leave the jobs their share of time, and capacity that was taken back its second."""

from __future__ import annotations

from datetime import timedelta

from streamjob_api.resources import RunningMode
from streamjob_operator.ledger import Holder
from streamjob_operator.ou.ou_pace import LEAVING, OuPace
from unit.operator.builders import NOW

LEAVER = (RunningMode.STANDALONE, Holder("meter", "uid"))


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_a_pass_that_took_long_is_followed_by_a_rest_but_not_a_long_one() -> None:
    pace = OuPace()
    assert pace.rest_seconds(NOW) == 0
    pace.passed(NOW, NOW + after(0.02))
    assert pace.rest_seconds(NOW + after(0.02)) == 0.18
    pace.passed(NOW, NOW + after(9))
    assert pace.rest_seconds(NOW + after(9)) == 1
    assert pace.rest_seconds(NOW + after(10)) == 0


def test_numbers_alone_are_written_once_a_second() -> None:
    pace = OuPace()
    assert pace.numbers_in(NOW) == 0
    pace.wrote(NOW)
    assert pace.numbers_in(NOW + after(0.4)) == 0.6
    assert pace.numbers_in(NOW + after(1)) == 0


def test_what_is_leaving_is_ripe_after_a_second_however_often_it_is_seen() -> None:
    pace = OuPace()
    assert pace.ripe_in(NOW) is None
    pace.note({LEAVER}, NOW)
    pace.note({LEAVER}, NOW + after(0.6))
    assert (pace.ripe(NOW + after(0.6)), pace.ripe_in(NOW + after(0.6))) == (set(), 0.4)
    assert pace.ripe(NOW + LEAVING) == {LEAVER}


def test_what_came_back_starts_anew_when_it_leaves_again() -> None:
    pace = OuPace()
    pace.note({LEAVER}, NOW)
    pace.note((), NOW + after(0.5))
    pace.note({LEAVER}, NOW + after(0.8))
    assert pace.ripe(NOW + LEAVING) == set()
