"""The operator dies after each step of what it does, and the outcome is as if it had not."""

from __future__ import annotations

import pytest

from cluster import crash_points
from cluster.operator_process import OperatorProcess, Ou

START = [
    "put_resource_status",
    "write_job_status:Starting",
    "create:ConfigMap",
    "create:PersistentVolumeClaim",
    "create:Pod",
    "apply",
    "create:ControllerRevision",
    "write_job_status:Running",
]
REPLACEMENT = ["write_job_status:Upgrading", "delete_pod", "write_job_status:Starting", "create:ConfigMap"]
REPLACEMENT += ["create:Pod", "prune", "create:ControllerRevision"]


@pytest.mark.parametrize("step", START)
def test_a_crash_after_any_step_of_a_start_leaves_one_driver(ou: Ou, idle_operator: OperatorProcess, step: str) -> None:
    crash_points.crash_at_start(ou, idle_operator, step)


@pytest.mark.parametrize("step", REPLACEMENT)
def test_a_crash_after_any_step_of_a_replacement_leaves_one_driver(
    ou: Ou, idle_operator: OperatorProcess, step: str
) -> None:
    crash_points.crash_at_replacement(ou, idle_operator, step)


@pytest.mark.parametrize("step", ["write_job_status:Upgrading", "delete_pod", "write_job_status:Starting"])
def test_a_crash_after_any_step_of_a_stateless_upgrade_drops_the_state_once(
    ou: Ou, idle_operator: OperatorProcess, step: str
) -> None:
    crash_points.crash_at_stateless_upgrade(ou, idle_operator, step)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("Paused", "write_job_status:Pausing"),
        ("Paused", "delete_pod"),
        ("Paused", "write_job_status:Paused"),
        ("Paused", "put_resource_status"),
        ("Stopped", "write_job_status:Stopping"),
        ("Stopped", "delete_pod"),
        ("Stopped", "write_job_status:Stopped"),
        ("Stopped", "put_resource_status"),
    ],
)
def test_a_crash_after_any_step_of_a_stop_ends_as_asked(
    ou: Ou, idle_operator: OperatorProcess, state: str, step: str
) -> None:
    crash_points.crash_at_rest(ou, idle_operator, state, step)


@pytest.mark.parametrize("step", ["put_resource_status", "write_job_status:Starting", "create:Pod"])
def test_a_crash_while_a_deleted_job_is_made_anew_gives_the_new_one_its_driver(
    ou: Ou, idle_operator: OperatorProcess, step: str
) -> None:
    crash_points.crash_at_re_creation(ou, idle_operator, step)


@pytest.mark.parametrize("step", ["write_job_status:Starting", "create:Pod", "delete_pod"])
def test_a_crash_after_any_step_of_a_rollback_ends_with_the_stable_spec(
    ou: Ou, idle_operator: OperatorProcess, step: str
) -> None:
    crash_points.crash_at_rollback(ou, idle_operator, step)
