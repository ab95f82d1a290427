"""The operator dies after each step of starting and of replacing a driver."""

from __future__ import annotations

import pytest

from cluster.crash_points import crash_at_replacement, crash_at_start
from cluster.operator_process import OperatorProcess, Ou

STEPS = ["put_resource_status", "write_job_status", "ConfigMap", "PersistentVolumeClaim", "Pod", "apply"]


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_after_any_step_of_a_start_leaves_one_driver(ou: Ou, idle_operator: OperatorProcess, step: str) -> None:
    crash_at_start(ou, idle_operator, step)


@pytest.mark.parametrize("step", ["write_job_status", "delete_pod", "Pod", "prune"])
def test_a_crash_after_any_step_of_a_replacement_leaves_one_driver(
    ou: Ou, idle_operator: OperatorProcess, step: str
) -> None:
    crash_at_replacement(ou, idle_operator, step)
