"""From the command line to an exit code."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from streamjob_api.job_file import JOB_FILE
from streamjob_api.progress import ExitCode, LastWords
from streamjob_runtime.driver import Driver
from streamjob_runtime.failures import fault_of
from streamjob_runtime.faults import RuntimeFault
from streamjob_runtime.job_reading import read_job
from streamjob_runtime.last_words import say
from streamjob_runtime.logs import log_as_json

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the driver of one job file; returns the exit code."""
    parser = argparse.ArgumentParser(prog="streamjob_runtime", description="The driver of one stream job.")
    parser.add_argument("job_file", nargs="?", type=Path, default=Path(JOB_FILE), help=f"default: {JOB_FILE}")
    path = parser.parse_args(arguments).job_file
    log_as_json()
    stop = threading.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wish, lambda *_: stop.set())
    try:
        job = read_job(path)
    except RuntimeFault as fault:
        return _failed(fault, attempt=0, batch_id=-1)
    return run(Driver(job, stop), job.job.attempt)


def run(driver: Driver, attempt: int) -> int:
    """Run a driver to its end and say its last words."""
    try:
        finished = driver.run()
    except Exception as error:  # noqa: BLE001 (the top: whatever it is, it is told and ends the driver)
        _log.debug("the driver failed", exc_info=error)
        return _failed(fault_of(error), attempt, driver.accounts.committed_batch)
    finally:
        driver.close()
    message = "" if finished else "stopped while a micro-batch was under way; it will be read again"
    say(
        LastWords(
            reason="Stopped",
            message=message,
            attempt=attempt,
            batch_id=driver.accounts.committed_batch,
            graceful=finished,
        )
    )
    return ExitCode.STOPPED


def _failed(fault: RuntimeFault, attempt: int, batch_id: int) -> int:
    say(LastWords(reason=fault.reason, message=fault.message[:2048], attempt=attempt, batch_id=batch_id))
    return fault.exit_code


def run_and_exit() -> None:
    """End the process with the driver's exit code, whatever threads of libraries still run."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
