"""What the simulation has found, each as the one situation that it comes down to."""

from __future__ import annotations

from datetime import timedelta

from streamjob_operator.ledger import Claim, settle
from unit.operator.builders import NOW


def test_two_jobs_that_grew_and_lost_their_drivers_do_not_wait_for_each_other() -> None:
    claims = [
        Claim(name, name, NOW + timedelta(seconds=age), wanted=3, granted=2) for age, name in enumerate(("a", "b"))
    ]
    ledger = settle(4, claims)
    assert ledger.admitted == {"a": ("a", 3)}
    assert (ledger.waiting["b"].missing, ledger.waiting["b"].free) == (3, 1)
