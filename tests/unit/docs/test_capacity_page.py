"""The page on capacity shows what is really said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from streamjob_api.memory import PodRole, memory_of
from streamjob_api.resources import RunningMode
from streamjob_operator.ledger import Claim, Holder, Ledger, explain, settle
from streamjob_operator.ou.resource_status import summarise_resource
from unit.operator.builders import NOW, facts, resource

PAGE = (Path(__file__).parents[3] / "docs" / "capacity.md").read_text()


def claim(name: str, age: int, **more: float) -> Claim:
    return Claim(Holder(name, "uid"), NOW + timedelta(hours=age), **more)  # type: ignore[arg-type]


def test_messages_of_queued_jobs_are_those_of_the_page() -> None:
    runs = claim("runs", 0, wanted=6, live=6, granted=6)
    small, smaller = claim("small", 2, wanted=1), claim("smaller", 3, wanted=1)
    strict = settle(8, [runs, claim("meter-a", 9, priority=10, wanted=4), small, smaller])
    older = settle(8, [runs, claim("meter-a", 1, wanted=4), small, smaller])
    assert explain(strict.waiting["meter-a"]) in PAGE
    assert explain(strict.waiting["small"]) in PAGE
    assert explain(older.waiting["smaller"]) in PAGE


def test_the_message_of_capacity_below_what_runs_is_that_of_the_page() -> None:
    running = [claim("meter-a", 0, wanted=5, live=5, granted=5), claim("meter-b", 1, wanted=4, live=4, granted=4)]
    ledger = Ledger({RunningMode.STANDALONE: settle(8, running)})
    status, _ = summarise_resource(resource(), ledger, facts(), {}, NOW)
    assert status.conditions[0].message in PAGE


def test_the_numbers_of_the_page_are_of_one_pool() -> None:
    jobs = [
        claim("runs", 0, wanted=6, live=6, granted=6),
        claim("comes", 1, wanted=1, granted=1),
        claim("waits", 2, wanted=3),
    ]
    pool = settle(8, jobs)
    shown = [pool.total, pool.live, pool.held - pool.live, pool.queued, pool.total - pool.held]
    assert [f"{number:g}" for number in shown] == PAGE.split("energy   True")[1].split("\n")[0].split()[:5]


def test_the_table_of_memory_is_what_pods_get() -> None:
    head = "| Pod | CU | limit |"
    rows = [line.strip("| ").split(" | ") for line in PAGE[PAGE.index(head) :].split("\n\n")[0].splitlines()[2:]]
    assert len(rows) == 7
    for pod, cu, *cells in rows:
        memory = memory_of(float(cu), PodRole(pod.removeprefix("Cluster: ")))
        workers = f"{memory.workers} x {memory.worker_mib}" if memory.workers else "0"
        sizes = (
            memory.pod_mib, memory.heap_mib, memory.jvm_mib, memory.rocksdb_mib, memory.main_mib, memory.planning_mib,
        )  # fmt: skip
        assert cells == [*map(str, sizes), workers]
