"""Capacity: what fits is admitted in order, and never more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.resources import RunningMode
from streamjob_operator.ledger import Claim, Head, Holder, Pool, Waiting, explain, settle

T0 = datetime(2026, 1, 1, tzinfo=UTC)
CU = st.integers(0, 8).map(lambda halves: halves / 2)
TOTAL = st.integers(0, 40).map(lambda halves: halves / 2)


def claim(name: str = "job", *, age: int = 0, **facts: float) -> Claim:
    return Claim(Holder.of(name, f"uid-{name}"), T0 + timedelta(hours=age), **facts)  # type: ignore[arg-type]


def claim_of(number: int, created: datetime, priority: int, cu: list[float], *, is_checked: bool) -> Claim:
    wanted, live, intended, granted, leaving = cu
    holder = Holder(f"job{number}", f"uid{number}")
    return Claim(holder, created, priority, wanted, live, intended, granted, leaving, is_checked)


@st.composite
def claim_lists(draw: st.DrawFn) -> list[Claim]:
    facts = draw(
        st.lists(st.tuples(CU, CU, CU, CU, CU, st.booleans(), st.integers(-2, 2), st.integers(0, 3)), max_size=12)
    )
    return [
        claim_of(number, T0 + timedelta(hours=age), priority, cu, is_checked=is_checked)
        for number, (*cu, is_checked, priority, age) in enumerate(facts)
    ]


def order(claim: Claim) -> tuple[int, datetime, Holder]:
    return (-claim.priority, claim.created, claim.holder)


def admitted(pool: Pool, claim: Claim) -> float:
    return pool.admitted.get(claim.holder, 0)


def after(claims: list[Claim], pool: Pool) -> list[Claim]:
    """The same jobs at the next pass, if nothing else happens."""
    return [
        replace(
            each,
            granted=admitted(pool, each),
            leaving=pool.leaving.get(each.holder, 0),
            intended=min(each.intended, admitted(pool, each) + pool.leaving.get(each.holder, 0)),
            is_checked=False,
        )
        for each in claims
    ]


@given(TOTAL, claim_lists())
def test_new_admissions_never_exceed_the_capacity(total: float, claims: list[Claim]) -> None:
    pool = settle(total, claims)
    assert pool.held <= max(total, sum(each.kept + each.withdrawn for each in claims))


@given(TOTAL, claim_lists())
def test_nothing_that_is_held_or_promised_is_taken_away(total: float, claims: list[Claim]) -> None:
    pool = settle(total, claims)
    for each in claims:
        assert admitted(pool, each) >= max(each.live, each.wanted if each.granted >= each.wanted else 0)


@given(TOTAL, claim_lists())
def test_what_was_granted_counts_until_a_live_look_has_shown_that_nobody_holds_it(
    total: float, claims: list[Claim]
) -> None:
    pool = settle(total, claims)
    for each in claims:
        counted = admitted(pool, each) + pool.leaving.get(each.holder, 0)
        assert counted >= each.granted
        assert counted >= each.granted + each.leaving or each.is_checked


@given(TOTAL, claim_lists())
def test_an_intent_alone_grants_nothing(total: float, claims: list[Claim]) -> None:
    stale = [replace(each, live=0, granted=0, leaving=0, wanted=0, intended=4) for each in claims]
    assert settle(total, stale).held == 0


@given(TOTAL, claim_lists())
def test_the_head_waits_only_when_it_does_not_fit(total: float, claims: list[Claim]) -> None:
    pool = settle(total, claims)
    for waiting in pool.waiting.values():
        assert waiting.place > 1 or pool.held + waiting.missing > total


@given(TOTAL, claim_lists())
def test_nobody_is_admitted_past_one_who_waits(total: float, claims: list[Claim]) -> None:
    pool = settle(total, claims)
    waiting = [order(each) for each in claims if each.holder.name in pool.waiting]
    new = [order(each) for each in claims if admitted(pool, each) > each.kept]
    assert not waiting or not new or max(new) < min(waiting)


@given(TOTAL, claim_lists())
def test_whoever_wants_and_can_ever_fit_is_admitted_or_has_a_place(total: float, claims: list[Claim]) -> None:
    pool = settle(total, claims)
    for each in claims:
        assert each.wanted > total or admitted(pool, each) >= each.wanted or each.holder.name in pool.waiting
    assert sorted(waiting.place for waiting in pool.waiting.values()) == list(range(1, len(pool.waiting) + 1))


@given(TOTAL, claim_lists())
def test_a_second_pass_over_its_own_outcome_changes_nothing(total: float, claims: list[Claim]) -> None:
    first = settle(total, claims)
    again = settle(total, after(claims, first))
    assert (again.admitted, again.leaving, again.held) == (first.admitted, first.leaving, first.held)


@given(st.integers(1, 20).map(lambda halves: halves / 2), st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0]), max_size=20))
def test_every_job_that_can_ever_fit_is_admitted_in_the_end(total: float, wishes: list[float]) -> None:
    """Jobs end in the order in which they were admitted; nobody starves."""
    waiting = [Claim(Holder(f"job{n}", f"uid{n}"), T0, n % 3, wish) for n, wish in enumerate(wishes) if wish <= total]
    for _ in range(len(waiting) + 1):
        pool = settle(total, waiting)
        assert pool.held <= total
        waiting = [each for each in waiting if each.holder not in pool.admitted]
    assert waiting == []


def test_a_job_larger_than_the_capacity_does_not_hold_up_the_queue() -> None:
    claims = [claim("huge", wanted=9), claim("small", wanted=1, age=1)]
    assert settle(8, claims).admitted == {Holder("small", "uid-smal"): 1}


def test_a_running_job_that_grows_waits_for_the_difference_only() -> None:
    grown = claim("grown", wanted=2, live=1, granted=1)
    pool = settle(2, [grown, claim("other", live=1, granted=1, wanted=1)])
    assert pool.waiting["grown"].missing == 1
    assert settle(3, [grown]).admitted == {grown.holder: 2}


def test_what_a_stopped_job_held_is_leaving_before_it_is_free() -> None:
    stopped, waits = claim("stopped", granted=1), claim("waits", wanted=1, age=1)
    first = settle(1, [stopped, waits])
    assert (first.admitted, first.leaving, list(first.waiting)) == ({}, {stopped.holder: 1}, ["waits"])
    left = replace(stopped, granted=0, leaving=1)
    assert settle(1, [left, waits]).leaving == {stopped.holder: 1}
    assert settle(1, [replace(left, is_checked=True), waits]).admitted == {waits.holder: 1}


def test_a_driver_that_was_started_while_its_grant_was_taken_back_gets_it_again() -> None:
    started = claim("started", leaving=1, intended=1, is_checked=True)
    assert settle(1, [started, claim("waits", wanted=1)]).admitted == {started.holder: 1}


def test_live_executors_and_pods_of_deleted_jobs_are_counted() -> None:
    pool = settle(3, [claim("gone", live=2), claim("waits", wanted=2)])
    assert (pool.live, pool.held, pool.waiting["waits"].used) == (2, 2, 2)


def test_a_queued_job_is_told_the_numbers() -> None:
    told = explain(Waiting(wanted=2, missing=2, place=3, total=8, used=7))
    assert told == "needs 2 CU of standalone; 7 of 8 in use, 1 free; 3rd in the queue"


def test_capacity_below_what_runs_shows_none_free() -> None:
    assert "9 of 8 in use, 0 free; 11th" in explain(Waiting(wanted=1, missing=1, place=11, total=8, used=9))


@pytest.mark.parametrize(
    ("priority", "head", "told"),
    [
        (0, Head("meter-a", 4, 10), "2 of 8 are free, but meter-a (4 CU, priority 10) is ahead; 2nd in the queue"),
        (10, Head("meter-a", 4, 10), "2 of 8 are free, but meter-a (4 CU, older) is ahead; 2nd in the queue"),
    ],
)
def test_one_that_would_fit_is_told_who_is_ahead_and_why(priority: int, head: Head, told: str) -> None:
    waiting = Waiting(1, 1, 2, 8, 6, RunningMode.CLUSTER, priority, head)
    assert explain(waiting) == f"needs 1 CU of cluster; {told}"


@given(TOTAL, claim_lists())
def test_the_message_gives_the_reason_why_a_job_waits(total: float, claims: list[Claim]) -> None:
    pool = settle(total, claims)
    for waiting in pool.waiting.values():
        fits = waiting.missing <= waiting.free
        assert ("is ahead" in explain(waiting)) == fits
        assert not fits or (waiting.head and waiting.head.name in pool.waiting)
