"""The OU's capacity: queued with numbers, admitted when there is room, never more than there is."""

from __future__ import annotations

import re

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


def test_one_that_would_fit_is_told_who_is_ahead(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(standalone=2), stream_job("runs"))
    ou.job_until("runs", is_ready)
    ou.apply(stream_job("large", resources={"cu": 2}, priority=5))
    ou.job_until("large", lambda status: reason(status) == "Queued")
    ou.apply(stream_job("small"))
    small = ou.job_until("small", lambda status: reason(status) == "Queued")
    assert condition(small, "Ready")["message"] == (
        "needs 1 CU of standalone; 1 of 2 is free, but large (2 CU, priority 5) is ahead; 2nd in the queue"
    )
    ou.patch("small", {"priority": 6})
    ou.job_until("small", is_ready)


def test_each_mode_has_its_own_capacity_and_kubectl_shows_both(ou: Ou, operator: OperatorProcess) -> None:
    """The claim that the Cluster jobs share is not there: their drivers hold CU, and wait for it."""
    in_cluster = {"mode": "Cluster", "master": {"cu": 1}, "workers": 1, "worker": {"cu": 2}}
    capacity = {"design": 1, "standalone": 2, "cluster": 4}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "streamjob-driver"}}
    ou.apply(stream_resource(capacity=capacity, checkpoints={"claimName": "shared"}), account)
    ou.apply(stream_job("wide", resources=in_cluster))
    ou.job_until("wide", lambda status: status.get("driver", {}).get("uid"))
    ou.apply(stream_job("wider", resources=in_cluster), stream_job("single"))
    wider = ou.job_until("wider", lambda status: reason(status) == "Queued")
    assert condition(wider, "Ready")["message"] == "needs 3 CU of cluster; 3 of 4 in use, 1 free; 1st in the queue"
    ou.job_until("single", lambda status: status.get("driver", {}).get("uid"))
    titles = ["CU", "USED", "RESERVED", "QUEUED", "FREE"]
    eventually(lambda: columns(ou, *titles), until=lambda shown: shown == ["2", "1", "0", "0", "1"])
    assert columns(ou, *(f"CLUSTER {title}" for title in titles)) == ["4", "3", "0", "3", "1"]


def columns(ou: Ou, *titles: str) -> list[str]:
    """What ``kubectl get sr`` shows below some titles."""
    lines = ou.cluster.kubectl("get", "-n", ou.namespace, "sr", "-o", "wide").splitlines()
    heads, row = (re.split(r" {2,}", line.strip()) for line in lines)
    shown = dict(zip(heads, row, strict=True))
    return [shown[title] for title in titles]


def test_capacity_below_what_runs_stops_nothing_and_says_so(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(standalone=2), stream_job("first"), stream_job("second"))
    ou.job_until("first", is_ready)
    ou.job_until("second", is_ready)
    ou.apply(stream_resource(standalone=1))
    status = eventually(
        lambda: ou.get("streamresource", "energy")["status"],
        until=lambda status: reason(status, "Stalled") == "CapacityExceeded",
    )
    assert condition(status, "Ready")["message"] == (
        "spec.capacity.standalone: 2 CU are in use, 1 asked for; nothing is stopped, and nothing new starts while more "
        "are in use; first, second hold them: pause or stop jobs until 1 CU are free, or ask for more"
    )
    assert status["standalone"]["free"] == -1
    ou.apply(stream_job("third"))
    third = ou.job_until("third", lambda status: reason(status) == "Queued")
    assert condition(third, "Ready")["message"].startswith("needs 1 CU of standalone; 2 of 1 in use, 0 free")
    ou.patch("first", {"state": "Paused"})
    eventually(lambda: is_ready(ou.get("streamresource", "energy")["status"]))
    assert len([pod for pod in ou.pods() if "deletionTimestamp" not in pod["metadata"]]) == 1
    assert is_ready(ou.get("streamjob", "second")["status"])


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
