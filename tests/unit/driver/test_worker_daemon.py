"""What the daemon of Spark's workers does about garbage."""

import subprocess
import sys

from streamjob_runtime import worker_daemon

SCRIPT = """
import gc
from streamjob_runtime.worker_daemon import _FIRST_TASKS, _freezing

gc.disable()
gc.callbacks.append(_freezing(_FIRST_TASKS))
kept = []
for task in range(_FIRST_TASKS + 3):
    cycle = []
    cycle.append(cycle)
    kept.append({"task": task, "cycle": cycle})
    del cycle
    gc.collect()
    print(gc.get_freeze_count() > 0, sum(each is one for each in gc.get_objects() for one in kept))
kept.clear()
print(gc.collect())
"""


def test_only_what_the_first_tasks_leave_is_never_gone_through_again() -> None:
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert told[: worker_daemon._FIRST_TASKS] == ["True 0"] * worker_daemon._FIRST_TASKS
    assert told[worker_daemon._FIRST_TASKS : -1] == ["True 1", "True 2", "True 3"]
    assert int(told[-1]) >= 3  # the cycles of later tasks
