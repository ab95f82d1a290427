"""A job that reads what another one calculates, on the real API server: whichever of the two comes first."""

from __future__ import annotations

import json

import pytest

from cluster.operator_process import Manifest, OperatorProcess, Ou, is_ready, reason, stream_job, stream_resource
from fixtures.eventually import eventually


def job(name: str, source: str, output: str) -> Manifest:
    policy = {"input": source, "aggregation": "max", "windowSize": "10m", "output": output}
    return stream_job(name, timeWindowAggregation={"policies": [policy]})


PRODUCER, CONSUMER = job("producer", "M::A", "M::B"), job("consumer", "M::B", "M::C")


def calculated(ou: Ou, job: str, attempt: int) -> list[str]:
    """What the driver of an attempt was told to read from the results' topic."""
    told: list[str] = json.loads(ou.get("configmap", f"{job}-{attempt}-job")["data"]["job.json"])["calculated"]
    return told


def test_a_reader_restarts_with_its_checkpoint_when_its_input_comes_to_be_calculated_and_when_it_is_no_more(
    ou: Ou, operator: OperatorProcess
) -> None:
    ou.apply(stream_resource(), CONSUMER)
    ou.job_until("consumer", is_ready)
    assert calculated(ou, "consumer", 1) == []

    ou.apply(PRODUCER)
    status = ou.job_until("consumer", lambda status: status["attempt"] == 2 and is_ready(status))
    assert calculated(ou, "consumer", 2) == ["M::B"]
    assert status["restarts"]["total"] == 0
    assert status["deployed"]["checkpoint"].endswith("/0")
    assert "attempt-1" in ou.cluster.kubectl("logs", "-n", ou.namespace, "consumer-2-driver")
    told = eventually(lambda: events(ou, "consumer"), until=lambda seen: "InputsChanged" in seen)
    assert told["InputsChanged"].startswith("jobs of the OU calculate M::B now")

    ou.delete("streamjob", "producer")
    status = ou.job_until("consumer", lambda status: status["attempt"] == 3 and is_ready(status))
    assert calculated(ou, "consumer", 3) == []
    assert status["deployed"]["checkpoint"].endswith("/0")


def test_a_writer_that_cannot_start_turns_no_reader_to_its_results(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), CONSUMER)
    ou.job_until("consumer", is_ready)
    never = stream_job(
        "never",
        template={"name": "time-window-aggregation", "version": "99.0"},
        timeWindowAggregation=PRODUCER["spec"]["timeWindowAggregation"],
    )
    ou.apply(never)
    ou.job_until("never", lambda status: reason(status) == "TemplateNotInstalled")
    ou.patch("consumer", {"restartNonce": 1})
    ou.job_until("consumer", lambda status: status["attempt"] == 2 and is_ready(status))
    assert calculated(ou, "consumer", 2) == []


@pytest.mark.parametrize("order", [(PRODUCER, CONSUMER), (CONSUMER, PRODUCER)], ids=["writer-first", "reader-first"])
def test_a_chain_that_is_applied_at_once_runs_in_either_order(
    ou: Ou, operator: OperatorProcess, order: tuple[Manifest, Manifest]
) -> None:
    ou.apply(stream_resource(), *order)
    ou.job_until("producer", is_ready)
    status = ou.job_until("consumer", lambda status: is_ready(status) and told_of_the_chain(ou, status))
    assert status["attempt"] <= 2
    assert ou.get("streamjob", "producer")["status"]["attempt"] == 1
    assert reason(status) == "Running"


def told_of_the_chain(ou: Ou, status: Manifest) -> bool:
    return calculated(ou, "consumer", status["attempt"]) == ["M::B"]


def events(ou: Ou, job: str) -> dict[str, str]:
    """Notes of a job's events, by reason."""
    found = (event for event in ou.items("events.events.k8s.io") if event["regarding"]["name"] == job)
    return {event["reason"]: event["note"] for event in found}
