"""From what ended a query to the reason that the operator reads."""

import pytest

from streamjob_api.progress import ExitCode
from streamjob_runtime.failures import fault_of
from streamjob_runtime.faults import FAULTS, Fenced, OffsetsLost, RuntimeFault, found_in


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_recognised_in_another_process_traceback(kind: type[RuntimeFault]) -> None:
    raised = kind("the words\nin two lines")
    text = f"Traceback ...\nstreamjob_runtime.faults.{kind.__name__}: {raised}\nat java"
    found = found_in(text)
    assert type(found) is kind
    assert found.message == "the words\nin two lines"


def test_the_fault_itself_is_kept() -> None:
    fault = Fenced("attempt 2")
    assert fault_of(fault) is fault
    assert fault_of(RuntimeError("py4j"), f"... {OffsetsLost('gone')} ...").reason == "OffsetsLost"


@pytest.mark.parametrize(
    "text",
    [
        "[CANNOT_LOAD_STATE_STORE.CANNOT_READ_SNAPSHOT_FILE_NOT_EXISTS] An error occurred during loading state",
        "java.io.FileNotFoundException: /data/ou/job/u/0/state/0/1/3.changelog",
        "org.rocksdb.RocksDBException: Corruption: block checksum mismatch",
    ],
)
def test_what_spark_cannot_read_of_its_state_is_damage(text: str) -> None:
    assert fault_of(RuntimeError("query"), text).exit_code is ExitCode.CHECKPOINT_INCOMPATIBLE


def test_last_words_name_classes_and_places_but_quote_no_record() -> None:
    text = (
        'File "/app/streamjob_runtime/reading.py", line 51, in reduce_chunks\n'
        "polars.exceptions.ComputeError: could not parse `meter-secret-77`\n"
        "org.apache.spark.SparkException: [PYTHON_STREAMING_DATA_SOURCE_RUNTIME_ERROR] Failed"
    )
    fault = fault_of(RuntimeError("meter-secret-77"), text)
    assert fault.exit_code is ExitCode.INTERNAL
    assert "polars.exceptions.ComputeError" in fault.message
    assert "streamjob_runtime/reading.py:51" in fault.message
    assert "secret" not in fault.message
