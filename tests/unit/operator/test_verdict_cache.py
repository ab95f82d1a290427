"""Verdicts are computed anew only when what they rest on has changed, and those who are concerned get a turn."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.faults import InvalidSpec
from streamjob_api.points import PointRef
from streamjob_operator.observed import JobKey, Manifest
from streamjob_operator.validation import (
    Fault,
    Refusal,
    Runnable,
    Verdict,
    WrittenJob,
    WrittenResource,
    check_manifests,
    found_models,
    missing_models,
)
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, CREATED, TEMPLATE, job_manifest


def windows(source: str, output: str) -> dict[str, Any]:
    policy = {"input": f"M::{source}", "aggregation": "max", "windowSize": "10m", "output": f"M::{output}"}
    return {"timeWindowAggregation": {"policies": [policy]}}


class Ou:
    """A world with one OU; every manifest has a newer version than the one before."""

    def __init__(self, **resource: Any) -> None:
        self.world = World(CATALOGUE)
        self.version = 0
        self.see_resource(**resource)

    def see(
        self, name: str, generation: int = 1, created: str = CREATED, *, has_run: bool = False, **spec: Any
    ) -> None:
        manifest = job_manifest(name, **spec)
        if has_run:
            manifest |= {"status": {"deployed": {"specHash": "former", "generation": 1}}}
        self.world.see_job(self._newer(manifest, uid=name, generation=generation, creationTimestamp=created))

    def see_resource(self, generation: int = 1, namespace: str = "ou", **spec: Any) -> None:
        given = {
            "orgId": "o1",
            "capacity": {"design": 1, "standalone": 4},
            "libraries": [TEMPLATE],
            "kafka": {"bootstrapServers": "kafka:9092"},
            **spec,
        }
        manifest = {"metadata": {"name": "energy", "namespace": namespace}, "spec": given}
        meta = {"uid": f"resource-{namespace}", "generation": generation, "creationTimestamp": CREATED}
        self.world.see_resource(self._newer(manifest, **meta))

    def see_pod(self, job: str, phase: str) -> None:
        labels = {"streamjob.dev/job": job}
        meta = {"name": f"{job}-1-driver", "namespace": "ou", "uid": f"pod-{job}", "labels": labels}
        self.world.see_pod({"metadata": meta | {"creationTimestamp": CREATED}, "status": {"phase": phase}})

    def verdict(self, name: str) -> Verdict:
        job = self.world.job(JobKey("ou", name))
        assert job
        return self.world.verdict(job)

    def reason(self, name: str) -> str:
        verdict = self.verdict(name)
        return verdict.reason if isinstance(verdict, Refusal) else "Valid"

    def near(self, name: str) -> set[str]:
        return {key.name for key in self.world.neighbours(JobKey("ou", name))}

    def _newer(self, manifest: Manifest, **meta: Any) -> Manifest:
        self.version += 1
        return manifest | {"metadata": manifest["metadata"] | {"resourceVersion": str(self.version)} | meta}


def test_nothing_is_computed_twice_and_a_status_write_changes_nothing() -> None:
    ou = Ou()
    ou.see("job")
    verdict = ou.verdict("job")
    assert isinstance(verdict, Runnable)
    ou.see("job")
    ou.see_resource()
    assert ou.verdict("job") is verdict


def test_another_spec_of_the_resource_or_other_models_are_seen() -> None:
    ou = Ou()
    ou.see("job", **windows("A", "B"))
    assert ou.reason("job") == "Valid"
    ou.see_resource(generation=2, models={"configMap": "models"})
    assert ou.reason("job") == "ModelsMissing"
    ou.world.verdicts.put_models("ou", missing_models("models"))
    assert ou.reason("job") == "ModelsMissing"
    points = [{"id": name, "type": "AI", "dataType": "double"} for name in "AB"]
    text = yaml.safe_dump({"models": [{"id": "M", "points": points}]})
    ou.world.verdicts.put_models("ou", found_models("models", {"models.yaml": text}))
    assert ou.reason("job") == "Valid"


NOT_INSTALLED: dict[str, Any] = {"template": {**TEMPLATE, "version": "2.0"}}


def test_a_job_that_is_refused_and_never_ran_feeds_nobody() -> None:
    ou = Ou(capacity={"design": 1, "standalone": 2})
    ou.see("reader", **windows("B", "C"))
    ou.see("writer", **windows("A", "B"), **NOT_INSTALLED)
    assert (ou.reason("writer"), calculated(ou)) == ("TemplateNotInstalled", {"reader": []})
    assert ou.near("writer") == {"reader"}
    ou.see("writer", generation=2, **windows("A", "B"), resources={"cu": 3})
    verdict = ou.verdict("writer")
    assert isinstance(verdict, Runnable)
    assert verdict.never_suffices
    assert calculated(ou)["reader"] == []
    ou.see("writer", generation=3, **windows("A", "B"), state="Paused")
    assert calculated(ou)["reader"] == [PointRef("M", "B")]


def test_a_job_that_has_run_feeds_its_readers_though_it_is_refused_by_now() -> None:
    ou = Ou()
    ou.see("reader", **windows("B", "C"))
    ou.see("writer", **windows("A", "B"))
    ou.see("writer", has_run=True, **windows("A", "B"))
    ou.see("writer", generation=2, has_run=True, **windows("A", "B"), **NOT_INSTALLED)
    assert (ou.reason("writer"), calculated(ou)) == ("TemplateNotInstalled", {"reader": [PointRef("M", "B")]})
    ou.world.lose_job(JobKey("ou", "writer"))
    assert calculated(ou) == {"reader": []}


def test_an_invalid_edit_of_a_job_that_has_run_turns_no_reader_away() -> None:
    ou = Ou()
    ou.see("reader", **windows("B", "C"))
    ou.see("writer", has_run=True, **windows("A", "B"))
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("D", "B"), messageChannel="Offline")
    ou.see("writer", generation=2, has_run=True, rateLimit=0, **windows("A", "B"))
    verdict = ou.verdict("writer")
    assert isinstance(verdict, Refusal)
    assert [fault.reason for fault in verdict.faults] == ["InvalidSpec"]
    assert calculated(ou)["reader"] == [PointRef("M", "B")]
    ou.world.lose_job(JobKey("ou", "writer"))
    assert calculated(ou)["reader"] == []


def test_a_job_that_was_started_since_its_spec_was_seen_has_run() -> None:
    ou = Ou()
    ou.see("reader", **windows("B", "C"))
    ou.see("writer", **windows("A", "B"))
    ou.see("writer", has_run=True, **windows("A", "B"))
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("D", "B"), messageChannel="Offline")
    assert (ou.reason("writer"), calculated(ou)["reader"]) == ("OutputTaken", [PointRef("M", "B")])


def test_whoever_reads_from_a_rival_is_a_neighbour() -> None:
    ou = Ou()
    ou.see("reader", **windows("C", "D"))
    ou.see("younger", **policies([("A", "B"), ("A", "C")]))
    assert calculated(ou)["reader"] == [PointRef("M", "C")]
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("E", "B"))
    assert (ou.reason("younger"), calculated(ou)["reader"]) == ("OutputTaken", [])
    assert ou.near("older") == {"younger", "reader"}


def test_an_output_is_free_when_its_writer_leaves_or_becomes_a_draft() -> None:
    ou = Ou()
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("A", "B"))
    ou.see("younger", **windows("A", "B"))
    assert (ou.reason("older"), ou.reason("younger")) == ("Valid", "OutputTaken")
    assert ou.near("older") == {"younger"}
    ou.see("older", generation=2, created="2025-01-01T00:00:00Z", state="Draft", **windows("A", "B"))
    assert (ou.reason("older"), ou.reason("younger")) == ("Valid", "Valid")
    ou.see("older", generation=3, created="2025-01-01T00:00:00Z", **windows("A", "B"))
    assert ou.reason("younger") == "OutputTaken"
    ou.world.lose_job(JobKey("ou", "older"))
    assert ou.reason("younger") == "Valid"


def test_an_edit_of_an_older_job_closes_a_loop_for_the_newer_one() -> None:
    ou = Ou()
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("x", "y"))
    ou.see("newer", **windows("y", "z"))
    assert ou.near("newer") == set()
    ou.see("newer", generation=2, **windows("y", "x"))
    assert (ou.reason("older"), ou.reason("newer")) == ("Valid", "LineageLoop")
    assert ou.near("older") == {"newer"}
    assert ou.near("newer") == {"older"}


@pytest.mark.parametrize(
    ("older", "gives_way"),
    [
        ({}, True),
        ({"state": "Released"}, False),
        ({"state": "Paused"}, False),
        ({"template": {**TEMPLATE, "version": "2.0"}}, False),
    ],
)
def test_a_driver_gives_way_only_to_an_older_job_that_runs(older: dict[str, Any], gives_way: bool) -> None:
    ou = Ou()
    ou.see("younger", **windows("A", "B"))
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("C", "B"), **older)
    verdict = ou.verdict("younger")
    assert isinstance(verdict, Refusal)
    assert (verdict.reason, verdict.runnable is not None) == ("OutputTaken", gives_way)


def test_a_driver_gives_way_to_a_loop_only_when_all_of_it_would_run() -> None:
    ou = Ou()
    ou.see("younger", **windows("A", "B"))
    ou.see("first", created="2025-01-01T00:00:00Z", **windows("B", "C"))
    ou.see("second", created="2025-01-02T00:00:00Z", state="Released", **windows("C", "A"))
    verdict = ou.verdict("younger")
    assert isinstance(verdict, Refusal)
    assert (verdict.reason, verdict.runnable) == ("LineageLoop", None)
    ou.see("second", generation=2, created="2025-01-02T00:00:00Z", **windows("C", "A"))
    verdict = ou.verdict("younger")
    assert isinstance(verdict, Refusal)
    assert verdict.runnable


def test_a_draft_is_told_what_stands_in_its_way() -> None:
    ou = Ou()
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("A", "B"))
    ou.see("draft", state="Draft", **windows("A", "B"))
    assert ou.reason("draft") == "OutputTaken"


def test_a_removed_library_is_free_when_its_last_driver_has_ended() -> None:
    ou = Ou()
    ou.see("job")
    ou.see_pod("job", "Running")
    ou.see_resource(generation=2, libraries=[])
    verdict = ou.verdict("job")
    assert isinstance(verdict, Refusal)
    assert "was removed from StreamResource energy" in verdict.message
    assert {library.name for library in ou.world.verdicts.facts("ou").running} == {"time-window-aggregation"}
    ou.see_pod("job", "Succeeded")
    assert ou.world.verdicts.facts("ou").running == frozenset()
    verdict = ou.verdict("job")
    assert isinstance(verdict, Refusal)
    assert verdict.message.endswith("it installs nothing")


def test_an_older_resource_elsewhere_takes_the_org_id() -> None:
    ou = Ou()
    ou.see("job")
    assert ou.reason("job") == "Valid"
    ou.see_resource(namespace="a-former")
    assert ou.reason("job") == "OrgIdTaken"
    ou.world.lose_resource("a-former", "energy")
    assert ou.reason("job") == "Valid"


def test_a_job_of_the_same_name_is_another_one() -> None:
    ou = Ou()
    ou.see("older", created="2025-01-01T00:00:00Z", **windows("A", "B"))
    ou.see("younger", **windows("A", "B"))
    again = job_manifest("older", **windows("A", "C"))
    meta = {"uid": "another", "resourceVersion": "100", "creationTimestamp": "2025-02-01T00:00:00Z"}
    ou.world.see_job(again | {"metadata": again["metadata"] | meta})
    assert ou.reason("younger") == "Valid"


def test_a_new_spec_is_new_until_the_models_are_looked_at() -> None:
    ou = Ou()
    ou.see("job")
    job = ou.world.job(JobKey("ou", "job"))
    assert job
    assert ou.world.verdicts.is_new(job)
    assert ou.world.verdicts.take_new("ou") == {job.key}
    ou.see("job")
    assert not ou.world.verdicts.is_new(job)
    ou.see("job", generation=2)
    assert ou.world.verdicts.is_new(job)


POINTS = st.sampled_from("ABCD")
EDITS = st.tuples(
    st.integers(0, 3),
    st.sampled_from(["Draft", "Released", "Running", "gone"]),
    st.lists(st.tuples(POINTS, POINTS).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=2, unique=True),
)


def policies(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    return {"timeWindowAggregation": {"policies": [policy for pair in pairs for policy in one(*pair)]}}


def one(source: str, output: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = windows(source, output)["timeWindowAggregation"]["policies"]
    return listed


def edit(ou: Ou, generation: int, number: int, state: str, pairs: list[tuple[str, str]]) -> str:
    """Change a job, or delete it; jobs are as old as their numbers."""
    name = f"job-{number}"
    if state == "gone":
        ou.world.lose_job(JobKey("ou", name))
    else:
        ou.see(name, generation, f"2026-01-0{number + 1}T00:00:00Z", state=state, **policies(pairs))
    return name


def faults(ou: Ou) -> dict[str, list[Fault]]:
    """What stands against each job, by the cache."""
    verdicts = {job.key.name: ou.world.verdict(job) for job in ou.world.jobs("ou")}
    return {name: list(of.faults) if isinstance(of, Refusal) else [] for name, of in verdicts.items()}


def calculated(ou: Ou) -> dict[str, list[PointRef]]:
    """What the driver of each job that can be run is to read from the results' topic."""
    verdicts = {job.key.name: ou.world.verdict(job) for job in ou.world.jobs("ou")}
    return {name: list(of.calculated) for name, of in verdicts.items() if isinstance(of, Runnable)}


@given(st.lists(EDITS, max_size=10))
def test_after_any_edits_the_cache_says_what_is_said_of_the_manifests_alone(
    edits: list[tuple[int, str, list[tuple[str, str]]]],
) -> None:
    ou = Ou()
    for generation, (number, state, pairs) in enumerate(edits, start=1):
        edit(ou, generation, number, state, pairs)
        faults(ou)  # so that there is something to be forgotten
    jobs = [WrittenJob("ou", job.key.name, job.spec) for job in sorted(ou.world.jobs("ou"), key=lambda job: job.rank)]
    (resource,) = ou.world.resources("ou")
    expected, _ = check_manifests(jobs, [WrittenResource("ou", "energy", resource.spec)], {}, CATALOGUE)
    assert faults(ou) == {job.name: told for job, told in zip(jobs, expected, strict=True)}


@given(st.lists(EDITS, max_size=10))
def test_whoever_s_verdict_an_edit_turns_is_a_neighbour_and_gets_a_turn(
    edits: list[tuple[int, str, list[tuple[str, str]]]],
) -> None:
    ou = Ou()
    for generation, (number, state, pairs) in enumerate(edits, start=1):
        before, near = faults(ou), ou.near(f"job-{number}")
        name = edit(ou, generation, number, state, pairs)
        after, near = faults(ou), near | ou.near(name)
        assert {other for other in after if other != name and before.get(other) != after[other]} <= near


@given(st.lists(EDITS, max_size=10))
def test_whoever_s_inputs_an_edit_turns_into_calculated_ones_is_a_neighbour(
    edits: list[tuple[int, str, list[tuple[str, str]]]],
) -> None:
    ou = Ou()
    for generation, (number, state, pairs) in enumerate(edits, start=1):
        before, near = calculated(ou), ou.near(f"job-{number}")
        name = edit(ou, generation, number, state, pairs)
        after, near = calculated(ou), near | ou.near(name)
        assert {other for other in after if other != name and before.get(other) != after[other]} <= near
        specs = {job.key.name: job.spec for job in ou.world.jobs("ou") if not isinstance(job.spec, InvalidSpec)}
        feeding = [spec for name, spec in specs.items() if name in after and spec.state != "Draft"]
        written = {point for spec in feeding for point in spec.block.outputs()}
        read = {name: sorted(set(spec.block.inputs()) & written) for name, spec in specs.items()}
        assert after == {name: read[name] for name in after}
