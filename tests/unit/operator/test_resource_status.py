"""Claims of an OU's jobs, and what its StreamResource says."""

from __future__ import annotations

from dataclasses import replace

from streamjob_api.status import Admission
from streamjob_operator.ledger import settle
from streamjob_operator.resource_status import claims, shrunk, summarise_duplicate, summarise_resource
from unit.operator.builders import JOB_UID, NOW, facts, job, pod, resource, runnable, running_status


def test_a_running_job_claims_what_it_holds_and_wants() -> None:
    of = job(status=running_status(job()), resources={"cu": 2})
    (claim,) = claims([(of, runnable(of))], [pod(of)], [Admission(name="extremes", uid=JOB_UID, cu=1)])
    assert (claim.wanted, claim.held, claim.granted) == (2, 1, 1)


def test_a_paused_job_claims_what_still_lives() -> None:
    of = job(state="Paused")
    (claim,) = claims([(of, runnable(of))], [pod(of)], [])
    assert (claim.wanted, claim.held) == (0, 1)


def test_an_intent_holds_before_its_pod_is_there() -> None:
    of = job(status={"attempt": 1, "admittedCu": 1})
    (claim,) = claims([(of, runnable(of))], [], [])
    assert claim.held == 1


def test_a_finished_pod_holds_nothing() -> None:
    of = job(state="Paused")
    assert claims([(of, runnable(of))], [pod(of, phase="Failed")], [])[0].held == 0


def test_a_job_that_was_given_up_wants_nothing() -> None:
    restarts = {"consecutive": 1, "lastAttempt": 1, "lastReason": "InvalidConfiguration"}
    of = job(status=running_status(job(), admittedCu=0, restarts=restarts))
    assert claims([(of, runnable(of))], [], [])[0].wanted == 0


def test_the_pods_of_a_deleted_job_keep_its_place_before_a_successor_of_the_same_name() -> None:
    of = job()
    (claim,) = claims([(of, runnable(of))], [pod(of, job_uid="former")], [])
    assert (claim.uid, claim.held, claim.wanted) == ("former", 1, 0)
    (orphan,) = claims([], [pod(of, job_uid="former")], [])
    assert orphan.held == 1


def test_an_admission_of_another_uid_is_no_grant() -> None:
    of = job()
    (claim,) = claims([(of, runnable(of))], [], [Admission(name="extremes", uid="former", cu=1)])
    assert claim.granted == 0


def test_who_would_lose_is_named() -> None:
    of = job()
    ledger = settle(4, claims([(of, runnable(of))], [], []))
    before = [Admission(name="gone", uid="a", cu=1), Admission(name="extremes", uid=JOB_UID, cu=1)]
    assert shrunk(before, ledger) == ["gone"]


def test_a_resource_counts_and_names_its_jobs() -> None:
    of = job()
    ledger = settle(4, claims([(of, runnable(of))], [], []))
    status, _ = summarise_resource(resource(), ledger, facts(), {}, NOW)
    assert (status.standalone.total, status.standalone.used, status.standalone.free) == (4, 1, 3)
    assert (status.in_use, status.org_id, status.conditions[0].message) == (True, "o1", "in use by extremes")
    assert (status.library_slots.total, status.library_slots.used) == (3, 1)
    assert summarise_resource(replace(resource(), status=status), ledger, facts(), {}, NOW) == (status, None)


def test_capacity_below_what_runs_is_said_and_nothing_is_taken() -> None:
    of = job(status=running_status(job()))
    ledger = settle(0, claims([(of, runnable(of))], [pod(of)], []))
    status, _ = summarise_resource(resource(), ledger, facts(), {}, NOW)
    assert (status.standalone.free, status.conditions[0].reason) == (-1, "CapacityExceeded")
    assert [entry.name for entry in status.admitted] == ["extremes"]


def test_too_many_libraries_are_named() -> None:
    libraries = [{"name": f"library-{number}", "version": "1.0"} for number in range(4)]
    of = resource(libraries=libraries)
    status, _ = summarise_resource(of, settle(4, []), facts(of, catalogue=None), {}, NOW)
    assert status.conditions[0].reason == "LibrarySlotsExceeded"
    assert "not installed: library-3 1.0;" in status.conditions[0].message


def test_a_duplicate_names_the_older_one() -> None:
    status = summarise_duplicate(resource("second"), resource(), NOW)
    assert [found.reason for found in status.conditions] == ["DuplicateResource", "DuplicateResource"]
    assert "StreamResource energy is older" in status.conditions[0].message
