"""What a driver says while it has no executors, and when Spark has given up."""

import pytest

from streamjob_api.progress import ExitCode
from streamjob_runtime.executor_watch import PATIENCE_SECONDS, ExecutorWatch
from streamjob_runtime.failures import fault_of
from streamjob_runtime.faults import ExecutorsFailing, ExecutorsRefused


class Spark:
    """What is asked of Spark, and the time."""

    def __init__(self) -> None:
        self.executors, self.stopped, self.now = 2, False, 0.0

    def watch(self, wanted: int) -> ExecutorWatch:
        return ExecutorWatch(wanted, lambda: self.executors, lambda: self.stopped, lambda: self.now)


def test_a_job_without_executors_says_so_after_a_while_and_no_more_once_there_is_one() -> None:
    spark = Spark()
    watch = spark.watch(2)
    assert watch.look() == ""
    spark.executors = 0
    assert watch.look() == ""
    spark.now = PATIENCE_SECONDS + 1
    assert watch.look() == "none of 2 executors has run for 61 s"
    spark.executors = 1
    assert watch.look() == ""
    spark.executors = 0
    assert watch.look() == ""


def test_a_standalone_job_is_not_missing_executors() -> None:
    spark = Spark()
    spark.executors, spark.stopped = 0, True
    assert spark.watch(0).look() == ""


def test_spark_that_has_given_up_ends_the_driver() -> None:
    spark = Spark()
    spark.stopped = True
    with pytest.raises(ExecutorsFailing, match="executors failed one after the other"):
        spark.watch(2).look()


def test_rights_that_are_missing_are_named() -> None:
    text = (
        "Caused by: io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://10.96.0.1/"
        'pods. Message: pods is forbidden: User "system:serviceaccount:ou:streamjob-driver" cannot '
        'create resource "pods" in API group "" in the namespace "ou". Received status: Status(apiVersion=v1'
    )
    fault = fault_of(RuntimeError("py4j"), text)
    assert isinstance(fault, ExecutorsRefused)
    assert fault.exit_code is ExitCode.DEPENDENCY_UNAVAILABLE
    assert 'cannot create resource "pods"' in fault.message


def test_a_micro_batch_that_lost_its_executors_too_often_is_no_riddle() -> None:
    text = "Task 1 failed 4 times: ExecutorLostFailure (executor 7 exited caused by one of the running tasks)"
    assert isinstance(fault_of(RuntimeError("py4j"), text), ExecutorsFailing)
