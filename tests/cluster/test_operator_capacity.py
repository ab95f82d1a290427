"""The OU's capacity: queued with numbers, admitted when there is room, never more than there is."""

from __future__ import annotations

from cluster.operator_process import (
    OperatorProcess,
    Ou,
    condition,
    is_ready,
    reason,
    stream_job,
    stream_resource,
)
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually


def test_a_job_that_does_not_fit_is_queued_with_the_numbers_and_admitted_when_there_is_room(
    ou: Ou, operator: OperatorProcess
) -> None:
    ou.apply(stream_resource(standalone=2), stream_job("first", resources={"cu": 2}))
    ou.job_until("first", is_ready)
    ou.apply(stream_job("second"))
    status = ou.job_until("second", lambda status: reason(status) == "Queued")
    assert condition(status, "Ready")["message"] == (
        "needs 1 CU of standalone; 2 of 2 in use, 0 free; 1st in the queue"
    )
    assert condition(status, "ResourceReserved")["status"] == "False"
    ou.apply(stream_job("third"))
    third = ou.job_until("third", lambda status: reason(status) == "Queued")
    assert condition(third, "Ready")["message"].endswith("2nd in the queue")
    assert len(ou.pods()) == 1

    ou.delete("streamjob", "first")
    ou.job_until("second", is_ready)
    ou.job_until("third", is_ready)
    standalone = ou.get("streamresource", "energy")["status"]["standalone"]
    assert (standalone["used"], standalone["queued"], standalone["free"]) == (2, 0, 0)


def test_twenty_jobs_for_five_cu_never_run_more_than_five(ou: Ou, operator: OperatorProcess) -> None:
    names = [f"job-{number:02}" for number in range(20)]
    with watched(ou.cluster, ou.namespace) as events:
        ou.apply(stream_resource(standalone=5), *(stream_job(name) for name in names))
        left = list(names)
        while left:
            done = as_many_drivers_as_fit(ou, left, 5)
            ou.cluster.kubectl("delete", "-n", ou.namespace, "streamjob", *done, "--wait=false")
            left = [name for name in left if name not in done]
    most, most_of = most_at_once(events)
    assert most == 5
    assert set(most_of) == set(names)
    assert set(most_of.values()) == {1}


def as_many_drivers_as_fit(ou: Ou, names: list[str], capacity: int) -> list[str]:
    fitting = min(capacity, len(names))
    return eventually(lambda: with_driver(ou, names), until=lambda seen: len(seen) >= fitting, within_seconds=120)


def with_driver(ou: Ou, names: list[str]) -> list[str]:
    """Jobs whose driver pod was seen."""
    jobs = {job["metadata"]["name"]: job.get("status", {}).get("driver") or {} for job in ou.items("streamjobs")}
    return [name for name in names if jobs.get(name, {}).get("uid")]


def test_more_than_the_ou_has_is_stalled_until_it_gets_more(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(standalone=1), stream_job("large", resources={"cu": 2}))
    status = ou.job_until("large", lambda status: reason(status, "Stalled") == "CapacityNeverSuffices")
    assert "needs 2 CU of standalone, but StreamResource energy has 1 in all" in condition(status, "Ready")["message"]
    ou.apply(stream_resource(standalone=2))
    ou.job_until("large", is_ready)


def test_a_template_that_is_not_installed_is_waited_for(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_job("early"))
    status = ou.job_until("early", lambda status: reason(status) == "ResourceMissing")
    assert reason(status, "Reconciling") == "WaitingForResource"
    ou.apply(stream_resource(libraries=[{"name": "calculators", "version": "1.0"}]))
    status = ou.job_until("early", lambda status: reason(status) == "TemplateNotInstalled")
    assert condition(status, "Ready")["message"].endswith("it installs calculators 1.0")
    ou.apply(stream_resource())
    ou.job_until("early", is_ready)


def test_the_older_of_two_resources_stays_in_force(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(standalone=1))
    eventually(lambda: ou.get("streamresource", "energy").get("status"))
    ou.apply(stream_resource(standalone=9, name="second"))
    status = eventually(lambda: ou.get("streamresource", "second").get("status", {}))
    assert reason(status, "Stalled") == "DuplicateResource"
    ou.delete("streamresource", "energy")
    eventually(lambda: is_ready(ou.get("streamresource", "second")["status"]))


def test_one_output_has_one_writer(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("older"))
    ou.job_until("older", is_ready)
    policy = {"input": "M::A", "aggregation": "min", "windowSize": "10m", "output": "M::older"}
    ou.apply(stream_job("younger", timeWindowAggregation={"policies": [policy]}))
    status = ou.job_until("younger", lambda status: reason(status, "Stalled") == "OutputTaken")
    assert "M::older is written by the older StreamJob older already" in condition(status, "Stalled")["message"]
    ou.delete("streamjob", "older")
    ou.job_until("younger", is_ready)
