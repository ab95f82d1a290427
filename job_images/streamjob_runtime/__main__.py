"""``python -m streamjob_runtime [JOB_FILE]``: the entrypoint of the driver image."""

from streamjob_runtime.main import run_and_exit

if __name__ == "__main__":
    run_and_exit()
