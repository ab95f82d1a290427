"""What holds though no operator runs, or though it never sees what happened."""

from __future__ import annotations

import time

from cluster.operator_process import OperatorProcess, Ou, is_ready, on_one_volume, stream_job, stream_resource
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually

# Everything that the operator makes for a job.
KINDS = ("pods", "configmaps", "persistentvolumeclaims", "controllerrevisions")


def left(ou: Ou, *names: str) -> list[str]:
    return [
        f"{kind}/{found['metadata']['name']}"
        for kind in KINDS
        for found in ou.items(kind, f"streamjob.dev/job in ({','.join(names)})")
    ]


def test_a_job_is_deleted_with_all_it_has_while_no_operator_runs(ou: Ou, idle_operator: OperatorProcess) -> None:
    idle_operator.start()
    ou.apply(stream_resource(), stream_job("orphan"))
    ou.job_until("orphan", lambda status: is_ready(status) and bool(status["deployed"].get("revision")))
    assert {name.partition("/")[0] for name in left(ou, "orphan")} == set(KINDS)
    idle_operator.stop()
    ou.delete("streamjob", "orphan", "--wait=false")
    eventually(lambda: ou.get("streamjob", "orphan"), until=lambda job: job == {}, within_seconds=5)
    eventually(lambda: left(ou, "orphan"), until=lambda names: names == [])


def test_jobs_that_are_deleted_right_after_their_creation_leave_nothing(ou: Ou, idle_operator: OperatorProcess) -> None:
    idle_operator.start()
    ou.apply(*on_one_volume(), stream_job("first"))
    ou.job_until("first", is_ready)
    names = [f"brief-{number}" for number in range(6)]
    with watched(ou.cluster, ou.namespace) as events:
        for number, name in enumerate(names):
            ou.apply(stream_job(name))
            time.sleep(number * 0.2)  # at another step of its start each time
            ou.delete("streamjob", name, "--wait=false")
        eventually(lambda: left(ou, *names), until=lambda found: found == [])
        ou.apply(stream_job("last"))  # whose start comes after all that is still to come of the others
        ou.job_until("last", is_ready)
    assert left(ou, *names) == []
    most, most_of = most_at_once(events)
    assert most <= 4
    assert set(most_of.values()) == {1}
    assert idle_operator.is_running()
