"""``python -m streamjob_runtime [JOB_FILE | executor]``: the entrypoint of the image, of drivers and of executors."""

import sys

from streamjob_runtime.executor import ARGUMENT, become_executor

if __name__ == "__main__":
    if sys.argv[1:] == [ARGUMENT]:
        become_executor()
    from streamjob_runtime.main import run_and_exit  # an executor needs nothing of it

    run_and_exit()
