"""From kubectl apply to Redis and back into status: the demo's data, every result compared."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from e2e.conftest import JOB, Demo
from fixtures.eventually import eventually

MANAGED = ("-o", "json", "--show-managed-fields")

pytestmark = pytest.mark.timeout(1200)


def status(demo: Demo, kind: str = "streamjob", name: str = JOB) -> dict[str, Any]:
    shown = json.loads(demo.stage.cluster.kubectl("-n", demo.stage.namespace, "get", kind, name, "-o", "json"))
    found: dict[str, Any] = shown.get("status", {})
    return found


def condition(found: dict[str, Any], kind: str) -> dict[str, Any]:
    (one,) = [condition for condition in found["conditions"] if condition["type"] == kind]
    return dict(one)


def test_every_result_in_kafka_is_the_independent_calculations(demo: Demo) -> None:
    comparison = demo.outcome.topic
    assert comparison.expected > 900_000
    assert comparison.holds, comparison.differing.head(20)


def test_every_latest_value_in_redis_is_the_independent_calculations(demo: Demo) -> None:
    comparison = demo.outcome.redis
    assert comparison.expected == 2 * demo.outcome.expected["asset"].n_unique()
    assert comparison.holds, comparison.differing.head(20)


def test_every_record_that_was_not_used_is_counted_by_reason(demo: Demo) -> None:
    counts = demo.outcome.counts
    assert counts["late"][1] > 100
    assert counts["outside"][1] > 500
    assert {name: counted for name, (counted, _) in counts.items()} == {
        name: defined for name, (_, defined) in counts.items()
    }


def test_late_readings_were_seen_to_change_results(demo: Demo) -> None:
    modes = set(demo.outcome.results["mode"].unique())
    assert modes == {"onTime", "final"}


def test_status_tells_throughput_and_lag_and_that_the_job_is_ready(demo: Demo) -> None:
    found = eventually(
        lambda: status(demo),
        until=lambda seen: seen.get("throughput", {}).get("totalIn", 0) > 0 and seen["throughput"]["lagRecords"] == 0,
        within_seconds=420,
    )
    assert condition(found, "Ready")["status"] == "True"
    assert found["attempt"] == 1
    assert found["restarts"]["total"] == 0


def test_an_idle_job_runs_no_micro_batch(demo: Demo) -> None:
    def batch() -> tuple[int, datetime]:
        report = demo.stage.progress(JOB)
        return report["batchId"], datetime.fromisoformat(report["observedAt"])

    first, asked_at = batch()
    later, _ = eventually(batch, until=lambda seen: seen[1] - asked_at >= timedelta(seconds=20), every_seconds=5)
    assert later == first


def test_the_resource_shows_who_holds_its_capacity(demo: Demo) -> None:
    found = status(demo, "streamresource", "energy")
    assert found["standalone"]["used"] == 2
    assert found["inUse"] is True
    assert [holder.partition("/")[0] for holder in found["holders"]["standalone"]] == [JOB]


def test_nobody_but_the_user_wrote_a_spec(demo: Demo) -> None:
    stage = demo.stage
    for kind, name in (("streamjob", JOB), ("streamresource", "energy")):
        shown = json.loads(stage.cluster.kubectl("-n", stage.namespace, "get", kind, name, *MANAGED))
        managers = {
            entry["manager"] for entry in shown["metadata"]["managedFields"] if "f:spec" in entry.get("fieldsV1", {})
        }
        assert managers == {"kubectl-client-side-apply"}, "somebody else wrote a spec"


def test_deleting_the_job_removes_all_that_it_owned(demo: Demo) -> None:
    stage = demo.stage
    stage.cluster.kubectl("-n", stage.namespace, "delete", "streamjob", JOB)
    owned = ("get", "pods,configmaps,persistentvolumeclaims", "-l", f"streamjob.dev/job={JOB}", "-o", "name")
    eventually(
        lambda: stage.cluster.kubectl("-n", stage.namespace, *owned), until=lambda seen: seen == "", within_seconds=180
    )
    found = eventually(
        lambda: status(demo, "streamresource", "energy"), until=lambda seen: not seen["inUse"], within_seconds=60
    )
    assert found["standalone"]["used"] == 0
