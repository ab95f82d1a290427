"""What the simulation has found, each as the one situation that it comes down to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from streamjob_operator.ledger import Claim, Holder, settle
from unit.operator.builders import NOW


def test_two_jobs_that_grew_and_lost_their_drivers_do_not_wait_for_each_other() -> None:
    claims = [
        Claim(Holder(name, name), NOW + timedelta(seconds=age), wanted=3, leaving=2, is_checked=True)
        for age, name in enumerate(("a", "b"))
    ]
    pool = settle(4, [replace(claim, granted=2, leaving=0, is_checked=False) for claim in claims])
    assert (pool.admitted, pool.leaving) == ({}, {claim.holder: 2 for claim in claims})
    pool = settle(4, claims)
    assert pool.admitted == {claims[0].holder: 3}
    assert (pool.waiting["b"].missing, pool.waiting["b"].free) == (3, 1)
