"""A pod's memory is shared out as a whole, at each size that a pod may have."""

from itertools import pairwise

import pytest

from streamjob_api.memory import Memory, PodRole, memory_of
from streamjob_api.resources import MAX_STANDALONE_CU, MAX_WORKER_CU, MIN_STANDALONE_CU
from streamjob_operator.plan.pod_parts import resources

SIZES = [half / 2 for half in range(2, 33)]
STANDALONE = [cu for cu in SIZES if MIN_STANDALONE_CU <= cu <= MAX_STANDALONE_CU]
PODS = [
    *((cu, PodRole.STANDALONE) for cu in STANDALONE),
    *((cu, role) for cu in [*SIZES, MAX_WORKER_CU] for role in (PodRole.MASTER, PodRole.WORKER)),
]


def parts(memory: Memory) -> list[int]:
    return [
        memory.heap_mib, memory.jvm_mib, memory.rocksdb_mib, memory.main_mib, memory.planning_mib, memory.python_mib,
    ]  # fmt: skip


@pytest.mark.parametrize(("cu", "role"), PODS)
def test_the_parts_add_up_to_the_pods_limit(cu: float, role: PodRole) -> None:
    memory = memory_of(cu, role)
    assert sum(parts(memory)) == memory.pod_mib
    assert min(parts(memory)) >= 0
    assert resources(cu, 1)["limits"]["memory"] == f"{memory.pod_mib}Mi"


@pytest.mark.parametrize(("cu", "role"), PODS)
def test_all_workers_find_room(cu: float, role: PodRole) -> None:
    memory = memory_of(cu, role)
    assert memory.workers * memory.worker_mib <= memory.python_mib
    assert memory.workers == (0 if role is PodRole.MASTER else 2 * int(cu))
    assert memory.worker_mib >= 200 or role is PodRole.MASTER


@pytest.mark.parametrize("role", PodRole)
def test_a_larger_pod_has_no_smaller_part(role: PodRole) -> None:
    sizes = [parts(memory_of(cu, role)) for cu in SIZES]
    for smaller, larger in pairwise(sizes):
        assert all(before <= after for before, after in zip(smaller, larger, strict=True))


def test_half_a_cu_holds_no_jvm_beside_python() -> None:
    with pytest.raises(ValueError, match="a JVM and Python do not fit in 1024 MiB"):
        memory_of(0.5)


def test_of_a_worker_nothing_is_kept_for_the_driver() -> None:
    worker, whole = memory_of(2, PodRole.WORKER), memory_of(2)
    assert (worker.main_mib, worker.planning_mib) == (0, 0)
    assert worker.python_mib == whole.python_mib + whole.main_mib + whole.planning_mib
