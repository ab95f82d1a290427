"""What jobs and pods hold of an OU's capacity, and what the jobs want."""

from __future__ import annotations

from dataclasses import replace

from streamjob_api import kinds
from streamjob_api.resources import RunningMode
from streamjob_api.status import Holdings, StreamResourceStatus
from streamjob_operator.ledger import Claim, Holder, Ledger, settle
from streamjob_operator.observed import Job, Pod
from streamjob_operator.ou.claims import changed, claims, granted, held, holdings, leavers
from streamjob_operator.validation import Runnable
from unit.operator.builders import JOB_UID, job, pod, resource, runnable, running_status

STANDALONE, CLUSTER = RunningMode.STANDALONE, RunningMode.CLUSTER
OWN, FORMER = Holder.of("extremes", JOB_UID), Holder.of("extremes", "former")
IN_CLUSTER = {"mode": "Cluster", "master": {"cu": 1}, "workers": 3, "worker": {"cu": 2}}


def status_of(**holders: float) -> StreamResourceStatus:
    return StreamResourceStatus(holders=Holdings(standalone={str(OWN): cu for cu in holders.values()}))


def claims_of(
    of: Job | None, *pods: Pod, mode: RunningMode = STANDALONE, status: StreamResourceStatus | None = None
) -> dict[Holder, Claim]:
    jobs = [(of, as_runnable(of))] if of else []
    drivers = [each for each in pods if each.component == kinds.DRIVER]
    executors = [each for each in pods if each.component == kinds.EXECUTOR]
    found = claims(mode, jobs, held(mode, drivers, executors, status or StreamResourceStatus()))
    return {claim.holder: claim for claim in found}


def as_runnable(of: Job) -> Runnable:
    """Whether this version supports clusters is not what is asked here."""
    return replace(runnable(job()), spec=of.spec)  # type: ignore[arg-type]


def executor(number: int, driver: Pod) -> Pod:
    return replace(driver, name=f"exec-{number}", uid=f"exec-{number}", component=kinds.EXECUTOR, cu=2)


def test_a_running_job_claims_what_it_holds_and_wants() -> None:
    of = job(status=running_status(job()), resources={"cu": 2})
    claim = claims_of(of, pod(of), status=status_of(own=1))[OWN]
    assert (claim.wanted, claim.live, claim.intended, claim.granted) == (2, 1, 1, 1)


def test_a_paused_job_claims_what_still_lives() -> None:
    of = job(state="Paused")
    claim = claims_of(of, pod(of))[OWN]
    assert (claim.wanted, claim.live) == (0, 1)


def test_a_finished_pod_holds_nothing() -> None:
    of = job(state="Paused")
    assert claims_of(of, pod(of, phase="Failed")) == {}


def test_a_job_that_was_given_up_wants_nothing() -> None:
    restarts = {"consecutive": 1, "lastAttempt": 1, "lastReason": "InvalidConfiguration"}
    of = job(status=running_status(job(), admittedCu=0, restarts=restarts))
    assert claims_of(of) == {}


def test_the_pods_of_a_deleted_job_are_counted_beside_its_successor() -> None:
    of = job()
    found = claims_of(of, pod(of, job_uid="former"))
    assert (found[FORMER].live, found[FORMER].wanted, found[OWN].live, found[OWN].wanted) == (1, 0, 0, 1)
    assert claims_of(None, pod(of, job_uid="former"))[FORMER].live == 1


def test_the_grant_of_a_deleted_job_is_not_its_successors() -> None:
    status = StreamResourceStatus(holders=Holdings(standalone={str(FORMER): 1}))
    assert granted(status, STANDALONE, "extremes", JOB_UID) == 0
    assert claims_of(job(), status=status)[FORMER].granted == 1


def test_a_job_that_changes_its_mode_holds_in_the_old_pool_and_wants_in_the_new_one() -> None:
    of = job(status=running_status(job()), resources=IN_CLUSTER)
    old, new = (claims_of(of, pod(job()), mode=mode)[OWN] for mode in (STANDALONE, CLUSTER))
    assert (old.live, old.intended, old.wanted) == (1, 1, 0)
    assert (new.live, new.intended, new.wanted) == (0, 0, 7)


def test_executors_count_with_their_driver_and_by_themselves_when_it_is_gone() -> None:
    of = job(resources=IN_CLUSTER)
    driver = replace(pod(job()), cu=7, workers=3)
    executors = [executor(number, driver) for number in range(2)]
    assert claims_of(of, driver, *executors, mode=CLUSTER)[OWN].live == 7
    assert claims_of(of, *executors, mode=CLUSTER)[OWN].live == 4
    assert claims_of(of, *executors) == {}


def test_live_pods_beyond_the_grant_are_unexpected() -> None:
    of = job()
    assert held(STANDALONE, [pod(of)], [], StreamResourceStatus()).unexpected == {OWN}
    assert held(STANDALONE, [pod(of)], [], status_of(own=1)).unexpected == set()


def test_what_is_written_is_what_is_read() -> None:
    claim = Claim(OWN, wanted=1, granted=2)
    ledger = Ledger({STANDALONE: settle(4, [claim]), CLUSTER: settle(4, [Claim(FORMER, granted=3)], CLUSTER)})
    holders, leaving = holdings(ledger)
    status = StreamResourceStatus(holders=holders, leaving=leaving)
    assert StreamResourceStatus.model_validate_json(status.model_dump_json(by_alias=True)) == status
    assert granted(status, STANDALONE, "extremes", JOB_UID) == 1
    assert leavers(status) == {(STANDALONE, OWN), (CLUSTER, FORMER)}
    again = held(STANDALONE, [], [], status)
    assert (again.granted, again.leaving) == ({OWN: 1}, {OWN: 1})


def test_only_those_with_another_grant_are_named() -> None:
    assert changed(status_of(own=1), status_of(own=1)) == set()
    assert changed(status_of(own=1), status_of(own=2)) == {"extremes"}


def test_a_job_takes_44_bytes_of_the_status_at_most_and_22_as_they_are_named() -> None:
    """A thousand jobs: 22 KiB; their owners are not recorded one by one."""
    many = {Holder.of(f"meter-{number:04}", f"{number:08}-1111"): 1.0 for number in range(1000)}
    holders = Holdings(standalone={str(holder): cu for holder, cu in many.items()})
    assert len(holders.model_dump_json()) < 30 * len(many)
    assert resource().status.holders == Holdings()
