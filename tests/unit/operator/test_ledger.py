"""Capacity: what fits is admitted in order, and never more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streamjob_operator.ledger import Claim, Waiting, explain, settle

T0 = datetime(2026, 1, 1, tzinfo=UTC)
CU = st.integers(0, 8).map(lambda halves: halves / 2)


@st.composite
def claim_lists(draw: st.DrawFn) -> list[Claim]:
    facts = draw(st.lists(st.tuples(CU, CU, CU, st.integers(-2, 2), st.integers(0, 3)), max_size=12))
    return [
        Claim(f"job{number}", f"uid{number}", T0 + timedelta(hours=age), priority, wanted, held, granted)
        for number, (wanted, held, granted, priority, age) in enumerate(facts)
    ]


def order(claim: Claim) -> tuple[int, datetime, str]:
    return (-claim.priority, claim.created, claim.name)


@given(st.integers(0, 40).map(lambda halves: halves / 2), claim_lists())
def test_new_admissions_never_exceed_the_capacity(total: float, claims: list[Claim]) -> None:
    ledger = settle(total, claims)
    kept = sum(claim.kept for claim in claims)
    assert ledger.used <= max(total, kept)


@given(st.integers(0, 40).map(lambda halves: halves / 2), claim_lists())
def test_nothing_that_is_held_or_promised_is_taken_away(total: float, claims: list[Claim]) -> None:
    ledger = settle(total, claims)
    for claim in claims:
        assert ledger.admitted.get(claim.name, ("", 0.0))[1] >= claim.kept


@given(st.integers(0, 40).map(lambda halves: halves / 2), claim_lists())
def test_the_head_waits_only_when_it_does_not_fit(total: float, claims: list[Claim]) -> None:
    ledger = settle(total, claims)
    for waiting in ledger.waiting.values():
        if waiting.place == 1:
            assert ledger.used + waiting.missing > total


@given(st.integers(0, 40).map(lambda halves: halves / 2), claim_lists())
def test_nobody_is_admitted_past_one_who_waits(total: float, claims: list[Claim]) -> None:
    ledger = settle(total, claims)
    waiting = [order(claim) for claim in claims if claim.name in ledger.waiting]
    admitted = [order(claim) for claim in claims if ledger.admitted.get(claim.name, ("", 0.0))[1] > claim.kept]
    assert not waiting or not admitted or max(admitted) < min(waiting)


@given(st.integers(0, 40).map(lambda halves: halves / 2), claim_lists())
def test_a_second_pass_over_its_own_outcome_changes_nothing(total: float, claims: list[Claim]) -> None:
    first = settle(total, claims)
    again = [
        Claim(c.name, c.uid, c.created, c.priority, c.wanted, c.held, first.admitted.get(c.name, ("", 0.0))[1])
        for c in claims
    ]
    assert settle(total, again) == first


@given(st.integers(1, 20).map(lambda halves: halves / 2), st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0]), max_size=20))
def test_every_job_that_can_ever_fit_is_admitted_in_the_end(total: float, wishes: list[float]) -> None:
    """Jobs end in the order in which they were admitted; nobody starves."""
    waiting = [Claim(f"job{n}", f"uid{n}", T0, n % 3, wish) for n, wish in enumerate(wishes) if wish <= total]
    for _ in range(len(waiting) + 1):
        ledger = settle(total, waiting)
        assert ledger.used <= total
        waiting = [claim for claim in waiting if claim.name not in ledger.admitted]
    assert waiting == []


def test_a_job_larger_than_the_capacity_does_not_hold_up_the_queue() -> None:
    claims = [Claim("huge", "a", T0, wanted=9), Claim("small", "b", T0 + timedelta(hours=1), wanted=1)]
    assert settle(8, claims).admitted == {"small": ("b", 1)}


def test_a_running_job_that_grows_waits_for_the_difference_only() -> None:
    grown = Claim("grown", "a", T0, wanted=2, held=1, granted=1)
    ledger = settle(2, [grown, Claim("other", "b", T0, held=1, granted=1, wanted=1)])
    assert ledger.waiting["grown"].missing == 1
    assert settle(3, [grown]).admitted["grown"] == ("a", 2)


def test_a_queued_job_is_told_the_numbers() -> None:
    told = explain(Waiting(wanted=2, missing=2, place=3, total=8, used=7))
    assert told == "needs 2 CU of standalone; 7 of 8 in use, 1 free; 3rd in the queue"


def test_capacity_below_what_runs_shows_none_free() -> None:
    assert "9 of 8 in use, 0 free; 11th" in explain(Waiting(wanted=1, missing=1, place=11, total=8, used=9))
