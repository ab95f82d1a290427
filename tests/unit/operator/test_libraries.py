"""Slots for libraries: who has one, who uses it, and what a status shows of them."""

from __future__ import annotations

from typing import Any

from streamjob_api.status import LibraryState, LibraryStatus
from streamjob_api.stream_resource import Library, StreamResourceSpec
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.ledger import Ledger
from streamjob_operator.observed import Resource
from streamjob_operator.ou.library_status import MAX_BYTES, library_statuses, users_of, within
from streamjob_operator.ou.resource_status import summarise_resource
from streamjob_operator.validation import OuFacts, resource_faults, slots
from unit.operator.builders import NOW, TEMPLATE, facts, job, resource


def library(name: str, version: str = "1.0") -> Library:
    return Library(name=name, version=version)


def listing(*names: str, design: int = 1) -> Resource:
    libraries = [{"name": name, "version": "1.0"} for name in names]
    return resource(libraries=libraries, capacity={"design": design, "standalone": 4})


def spec_of(of: Resource) -> StreamResourceSpec:
    assert isinstance(of.spec, StreamResourceSpec)
    return of.spec


def states(of: Resource, **more: Any) -> dict[str, str]:
    found = facts(of, **more)
    return {each.name: each.state.value for each in library_statuses(spec_of(of), found, {})}


CATALOGUE = Catalogue({(name, "1.0"): f"example.org/{name}:1" for name in "abcd"})


def test_three_libraries_for_a_design_cu_in_the_order_of_the_list() -> None:
    of = listing("a", "b", "c", "d")
    assert states(of, catalogue=CATALOGUE) == {"d": "NoSlot", "a": "Installed", "b": "Installed", "c": "Installed"}
    assert slots(spec_of(of)).used == 3


def test_a_removed_library_that_runs_keeps_its_slot_before_any_other() -> None:
    of = listing("a", "b", "c")
    running = frozenset({library("d")})
    assert states(of, catalogue=CATALOGUE, running=running) == {
        "d": "Removing",
        "c": "NoSlot",
        "a": "Installed",
        "b": "Installed",
    }
    assert slots(spec_of(of), running).used == 3


def test_a_new_library_takes_no_slot_from_one_that_runs() -> None:
    shared = slots(spec_of(listing("a", "b", "c", "d")), {library("d")})
    assert [each.name for each in shared.installed] == ["a", "b", "d"]
    assert [each.name for each in shared.left_out] == ["c"]


def test_more_removed_ones_than_slots_leave_none_and_no_negative_number() -> None:
    shared = slots(spec_of(listing("a", design=0)), {library("b")})
    assert (shared.total, shared.used, shared.installed) == (0, 1, ())


def test_a_library_that_the_catalogue_does_not_have_is_named_with_the_nearest() -> None:
    of = resource(libraries=[{"name": "time-window-agregation", "version": "1.0"}, {**TEMPLATE, "version": "1.1"}])
    unknown, other_version = resource_faults(facts(of))
    assert {unknown.reason, other_version.reason} == {"LibraryUnknown"}
    assert unknown.message == (
        "spec.libraries[0]: the operator's catalogue has no library time-window-agregation; "
        "did you mean 'time-window-aggregation'?"
    )
    assert other_version.message == (
        "spec.libraries[1]: the operator's catalogue has no time-window-aggregation 1.1; versions it has: 1.0; "
        "did you mean '1.0'?"
    )


def test_drafts_use_no_library_and_names_are_bounded() -> None:
    jobs = [job(f"job-{number}") for number in range(5)]
    users = users_of([*jobs, job("draft", state="Draft")])
    of = resource()
    (status,) = library_statuses(spec_of(of), facts(of), users)
    assert (status.jobs, status.used_by) == (5, ["job-0", "job-1", "job-2"])
    assert status.image == "example.org/runtime:1"


def test_a_library_on_its_way_out_is_told_with_who_uses_it() -> None:
    of = resource(libraries=[])
    found = OuFacts("ou", of, running=frozenset({library("time-window-aggregation")}), catalogue=Catalogue())
    status, _ = summarise_resource(of, Ledger(), found, users_of([job()]), NOW)
    assert [(each.state, each.used_by) for each in status.libraries] == [(LibraryState.REMOVING, ["extremes"])]
    assert "time-window-aggregation 1.0 is being removed, but a driver still runs it; used by extremes" in (
        status.conditions[0].message
    )


def test_three_hundred_libraries_stay_within_their_room_and_those_with_a_fault_come_first() -> None:
    names = [f"library-{number}-{'x' * 40}" for number in range(300)]
    of = listing(*names, design=100)
    known = Catalogue({(name, "1.0"): "example.org/" + "y" * 400 for name in names[:299]})
    status, _ = summarise_resource(of, Ledger(), facts(of, catalogue=known), {}, NOW)
    assert status.libraries[0].state is LibraryState.NOT_IN_CATALOGUE
    assert len(status.libraries) + status.libraries_not_shown == 300
    size = len(status.model_dump_json(by_alias=True, exclude_none=True))
    assert MAX_BYTES / 2 < size < 16_384


def test_what_there_is_room_for_is_shown_as_it_is() -> None:
    statuses = [LibraryStatus(name=str(number), version="1", state=LibraryState.INSTALLED) for number in range(9)]
    assert within(statuses) == statuses
    assert within(statuses, 0) == []
