"""What a job needs of its OU's other objects, in words for its author."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from streamjob_operator.observed import Job, Resource
from streamjob_operator.validation import Lineage, Refusal, Runnable, check, in_force
from streamjob_operator.validation.jobs import member_of
from unit.operator.builders import TEMPLATE, facts, job, resource, runnable


def refused(of: Job, by: Resource | None, lineage: Lineage | None = None, **more: object) -> Refusal:
    found = replace(facts(by), resource=by, **more)  # type: ignore[arg-type]
    verdict = check(of, found, lineage or Lineage())
    assert isinstance(verdict, Refusal)
    return verdict


def test_a_job_without_its_resource_waits() -> None:
    verdict = refused(job(), None)
    assert (verdict.reason, verdict.may_come) == ("ResourceMissing", True)


def test_a_template_that_is_not_installed_is_named_with_what_is() -> None:
    verdict = refused(job(template={**TEMPLATE, "version": "2.0"}), resource())
    assert verdict.reason == "TemplateNotInstalled"
    assert verdict.message == (
        "spec.template: time-window-aggregation 2.0 is not installed by StreamResource energy; "
        "it installs time-window-aggregation 1.0; did you mean 'time-window-aggregation 1.0'?"
    )


def test_a_template_that_the_catalogue_does_not_have_is_named() -> None:
    newer = {**TEMPLATE, "version": "2.0"}
    verdict = refused(job(template=newer), resource(libraries=[newer]))
    assert (verdict.reason, verdict.may_come) == ("TemplateUnknown", False)
    assert "versions it has: 1.0" in verdict.message


def test_libraries_beyond_the_slots_of_a_design_cu_are_not_installed() -> None:
    others = [{"name": f"library-{number}", "version": "1.0"} for number in range(3)]
    crowded = refused(job(), resource(libraries=[*others, TEMPLATE]))
    assert crowded.reason == "TemplateNotInstalled"
    assert "has no slot: 3 of 3 are taken by library-0 1.0, library-1 1.0, library-2 1.0" in crowded.message
    capacity = {"design": 2, "standalone": 4}
    enough = check(job(), facts(resource(libraries=[*others, TEMPLATE], capacity=capacity)), Lineage())
    assert isinstance(enough, Runnable)


def test_an_org_id_belongs_to_the_older_resource() -> None:
    rival = resource(namespace="former")
    assert "belongs to StreamResource former/energy" in refused(job(), resource(), rival=rival).message


def test_an_output_belongs_to_the_older_job() -> None:
    mine = job()
    older = replace(job("older"), created=mine.created.replace(year=2025), uid="other", spec=mine.spec)
    lineage = Lineage(member for each in (mine, older) if (member := member_of(each)))
    verdict = refused(mine, resource(), lineage)
    assert (verdict.reason, verdict.runnable) == ("OutputTaken", runnable(mine))
    assert verdict.message == (
        "spec.timeWindowAggregation.policies[0].output: M::extremes is written by the older StreamJob older already; "
        "choose another output or delete the older job"
    )
    assert isinstance(check(older, facts(), lineage), Runnable)


def test_the_older_of_two_resources_is_in_force() -> None:
    older, newer = resource("zebra", "2025-01-01T00:00:00Z"), resource("aardvark")
    assert in_force([newer, older]) is older
    assert in_force([newer, replace(older, deleting=True)]) is newer
    assert in_force([]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"description": "other"},
        {"priority": 3},
        {"restart": {"maxFailures": 3}},
        {"lifecycle": {"startDeadline": "9m"}},
        {"state": "Paused"},
        {"resources": {"mode": "Standalone", "cu": 1}},
    ],
)
def test_ignored_and_live_fields_and_written_out_defaults_restart_nothing(change: dict[str, Any]) -> None:
    assert runnable(job(**change)).spec_hash == runnable(job()).spec_hash


@pytest.mark.parametrize(
    "change",
    [
        {"restartNonce": 1},
        {"rateLimit": 5},
        {"resources": {"cu": 2}},
        {"image": "example.org/other:1"},
        {"lifecycle": {"stopDeadline": "9m"}},
    ],
)
def test_every_other_field_restarts(change: dict[str, Any]) -> None:
    assert runnable(job(**change)).spec_hash != runnable(job()).spec_hash


def test_a_changed_connection_restarts() -> None:
    moved = runnable(job(), kafka={"bootstrapServers": "elsewhere:9092"})
    assert moved.spec_hash != runnable(job()).spec_hash
    assert runnable(job(), capacity={"design": 1, "standalone": 9}).spec_hash == runnable(job()).spec_hash
