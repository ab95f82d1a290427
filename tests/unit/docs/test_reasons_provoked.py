"""Each reason of a driver that fails is provoked by its real cause in some test, and explained."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from streamjob_operator import reasons

ROOT = Path(__file__).parents[3]
_FAILURES = "tests/cluster/test_operator_failures.py"
_KUBELET = f"{_FAILURES}::test_what_the_kubelet_knows_is_told_within_fifteen_seconds"
_NODES = (
    "tests/faults/test_node_loss.py::"
    "test_a_drained_node_and_one_that_is_lost_and_comes_back_and_one_that_is_lost_for_good"
)
_RUNTIME = "tests/faults/test_failure_reasons.py::test_what_the_runtime_knows_is_told_within_fifteen_seconds"
_SPOILT = "tests/faults/test_failure_reasons.py::test_a_wrong_password_and_a_damaged_checkpoint_are_told"
_ENDS = "tests/spark/test_driver.py::test_what_trying_again_would_not_cure_ends_with_its_own_code"
_STAND_IN = f"{_FAILURES}::test_other_failures_are_retried_with_their_reason"
_DRIVERS_CODE = "job_images/streamjob_runtime"

# By reason: the tests that have its real cause. Where there are two, the first shows that the runtime ends so, the
# other that the operator tells it.
PROVOKED = {
    "ImagePullFailed": (_KUBELET,),
    "ContainerConfigError": (f"{_FAILURES}::test_a_missing_secret_is_named_and_the_pod_goes_on_when_it_comes",),
    "VolumeUnavailable": (f"{_FAILURES}::test_a_volume_that_cannot_be_mounted_is_said",),
    "DriverRefused": (
        f"{_FAILURES}::test_a_driver_that_the_api_server_refuses_is_said_and_tried_again",
        f"{_FAILURES}::test_a_driver_of_more_memory_than_the_ou_allows_is_refused_with_the_api_servers_words",
    ),
    "Unschedulable": (f"{_FAILURES}::test_a_driver_that_no_node_is_large_enough_for_is_said",),
    "OOMKilled": (_KUBELET,),
    "DriverEvicted": (f"{_FAILURES}::test_an_evicted_driver_is_told_and_replaced", _NODES),
    "NodeLost": (_NODES,),
    "StartTimeout": (_KUBELET,),
    "DriverLost": (f"{_FAILURES}::test_a_driver_deleted_by_hand_is_replaced_and_never_two_live_at_once",),
    "DriverExited": (_STAND_IN,),
    "Fenced": (_ENDS, _STAND_IN),
    "InvalidConfiguration": (
        _ENDS,
        f"{_FAILURES}::test_a_permanent_failure_is_stalled_with_the_last_words_until_the_spec_changes",
    ),
    "CheckpointIncompatible": (_ENDS, _SPOILT),
    "DependencyUnavailable": (_STAND_IN,),
    "InternalError": (_STAND_IN,),
    "RestartsExhausted": (f"{_FAILURES}::test_restarts_are_exhausted",),
    "DriverNotReady": (_KUBELET,),
    "NoProgress": ("tests/faults/test_failure_reasons.py::test_a_worker_that_hangs_is_no_progress",),
    "KafkaUnreachable": (_RUNTIME,),
    "RedisUnreachable": (_RUNTIME,),
    "RedisDenied": (_SPOILT,),
    "TopicMissing": (
        "tests/spark/test_driver.py::test_a_driver_waits_for_its_topic_tells_what_it_does_and_stops_when_asked",
    ),
}
# Kept apart in the code, provoked by nobody here: a broker with SASL, a Redis that is full.
NOT_PROVOKED = {"KafkaDenied", "RedisRefused"}


def of_drivers() -> set[str]:
    """The reasons that the table of failures has."""
    source = Path(reasons.__file__).read_text()
    section = source.partition("# Of failures.\n")[2].partition("\n\n")[0]
    return set(re.findall(r'^[A-Z_]+ = "(\w+)"', section, re.MULTILINE)) | {reasons.NOT_READY}


def said_by_drivers() -> set[str]:
    """The words that the runtime gives as its reason to wait or to be unready."""
    source = "\n".join(path.read_text() for path in (ROOT / _DRIVERS_CODE).rglob("*.py"))
    return set(re.findall(r'"((?:Kafka|Redis)(?:Unreachable|Denied|Refused)|TopicMissing|NoProgress)"', source))


def source_of(test: str) -> str:
    """The source of a test, with its parameters."""
    path, _, name = test.partition("::")
    text = (ROOT / path).read_text()
    found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert found, f"{path} has no test {name}"
    first = min([found[0].lineno, *(decorator.lineno for decorator in found[0].decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : found[0].end_lineno])


def test_every_reason_of_a_failing_driver_has_its_tests() -> None:
    assert set(PROVOKED) | NOT_PROVOKED == of_drivers() | said_by_drivers()


@pytest.mark.parametrize(("reason", "test"), [(reason, test) for reason, tests in PROVOKED.items() for test in tests])
def test_the_test_of_a_reason_expects_that_reason(reason: str, test: str) -> None:
    assert re.search(rf'"{reason}"', source_of(test))


@pytest.mark.parametrize("reason", sorted({*PROVOKED, *NOT_PROVOKED}))
def test_every_reason_of_a_failing_driver_is_explained_with_what_to_do(reason: str) -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    _, found, rest = page.partition(f"### {reason}\n")
    assert found
    assert len(rest.partition("\n#")[0].split()) > 5
