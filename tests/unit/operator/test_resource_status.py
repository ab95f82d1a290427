"""What an OU's StreamResource says of its capacity and its libraries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamjob_api.resources import RunningMode
from streamjob_api.status import Holdings
from streamjob_operator.ledger import Claim, Holder, Ledger, settle
from streamjob_operator.observed import Job, Pod
from streamjob_operator.ou.claims import claims, held
from streamjob_operator.ou.resource_status import (
    concerned,
    is_in_numbers_alone,
    summarise_duplicate,
    summarise_resource,
)
from streamjob_operator.validation import found_models
from unit.operator.builders import NOW, facts, job, pod, resource, runnable

WRONG = "ConfigMap thing-models with the OU's thing models is wrong"


def ledger(total: float, of: Job, *pods: Pod) -> Ledger:
    mode = RunningMode.STANDALONE
    found = claims(mode, [(of, runnable(of))], held(mode, pods, [], resource().status))
    return Ledger({mode: settle(total, found)})


def test_a_resource_counts_and_names_its_jobs() -> None:
    of = job()
    starting, _ = summarise_resource(resource(), ledger(4, of), facts(), {}, NOW)
    numbers = starting.standalone
    assert (numbers.total, numbers.used, numbers.reserved, numbers.queued, numbers.free) == (4, 0, 1, 0, 3)
    status, _ = summarise_resource(resource(), ledger(4, of, pod(of)), facts(), {}, NOW)
    numbers = status.standalone
    assert (numbers.total, numbers.used, numbers.reserved, numbers.queued, numbers.free) == (4, 1, 0, 0, 3)
    assert (status.in_use, status.org_id, status.conditions[0].message) == (True, "o1", "in use by extremes")
    assert (status.library_slots.total, status.library_slots.used) == (3, 1)
    again = summarise_resource(replace(resource(), status=status), ledger(4, of, pod(of)), facts(), {}, NOW)
    assert again == (status, None)
    assert is_in_numbers_alone(starting, status)


@pytest.mark.parametrize("mode", RunningMode)
def test_capacity_below_what_runs_is_said_and_nothing_is_taken(mode: RunningMode) -> None:
    running = Claim(Holder("meter", "uid"), wanted=9, live=9, granted=9)
    status, _ = summarise_resource(resource(), Ledger({mode: settle(8, [running], mode)}), facts(), {}, NOW)
    use = status.cluster if mode is RunningMode.CLUSTER else status.standalone
    assert (use.used, use.free, status.conditions[0].reason) == (9, -1, "CapacityExceeded")
    assert status.conditions[0].message == (
        f"spec.capacity.{mode.value.lower()}: 9 CU are in use, 8 asked for; nothing is stopped, and nothing new starts "
        "while more are in use; meter hold them: pause or stop jobs until 1 CU are free, or ask for more"
    )


def test_a_change_of_the_grants_concerns_those_who_have_another_one() -> None:
    before = resource()
    holders = Holdings(standalone={"meter-a/12345678": 1, "meter-b/12345678": 1})
    some = replace(before, status=before.status.model_copy(update={"holders": holders}))
    fewer = Holdings(standalone={"meter-a/12345678": 1})
    after = replace(some, status=some.status.model_copy(update={"holders": fewer}))
    assert (concerned(some, after), concerned(some, some)) == ({"meter-b"}, set())
    assert concerned(some, replace(after, generation=2)) is None


def test_too_many_libraries_are_named() -> None:
    libraries = [{"name": f"library-{number}", "version": "1.0"} for number in range(4)]
    of = resource(libraries=libraries)
    status, _ = summarise_resource(of, Ledger(), facts(of, catalogue=None), {}, NOW)
    assert status.conditions[0].reason == "LibrarySlotsExceeded"
    assert "not installed: library-3 1.0;" in status.conditions[0].message


@pytest.mark.parametrize(
    ("text", "ready", "told"),
    [
        ("models: [{id: M, points: []}]", "True", "not in use; 1 thing model loaded from ConfigMap thing-models"),
        ("models: [{id: 'M::A'}]", "False", f"{WRONG}: models[0].id: expected an id"),
        ("models: [", "False", f"{WRONG}: line 2, column 1"),
    ],
)
def test_thing_models_are_counted_and_their_faults_named_with_their_places(text: str, ready: str, told: str) -> None:
    of = resource(models={"configMap": "thing-models"})
    found = found_models("thing-models", {"models.yaml": text})
    status, _ = summarise_resource(of, Ledger(), facts(of, models=found), {}, NOW)
    shown = status.conditions[0]
    assert (shown.status, shown.message.startswith(told)) == (ready, True), shown.message


def test_a_duplicate_names_the_older_one() -> None:
    status = summarise_duplicate(resource("second"), resource(), NOW)
    assert [found.reason for found in status.conditions] == ["DuplicateResource", "DuplicateResource"]
    assert "StreamResource energy is older" in status.conditions[0].message
