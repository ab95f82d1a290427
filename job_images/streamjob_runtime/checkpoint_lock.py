"""Who may touch a job's checkpoints: drivers, of which the marker fences the older ones, or one tool alone.

The lock is the kernel's: it ends with the process that holds it, however that ends.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from streamjob_api.job_file import JobFile
from streamjob_runtime.faults import DependencyUnavailable

_FILE = "in-use.lock"
_PAUSE_SECONDS = 0.1


@contextmanager
def held_by_driver(job: JobFile, is_stopped: Callable[[], bool]) -> Iterator[bool]:
    """Keep tools away as long as this lasts; waits for one that is at work.

    Yields:
        Whether the checkpoint is the driver's; false when it was asked to stop while it waited.
    """
    with _opened(Path(job.checkpoint_path).parent) as lock:
        while not (is_held := _locked(lock, fcntl.LOCK_SH)) and not is_stopped():
            time.sleep(_PAUSE_SECONDS)
        yield is_held


@contextmanager
def held_by_tool(job: JobFile) -> Iterator[bool]:
    """Keep drivers and other tools away from a job's checkpoints as long as this lasts; see ``alone_in``."""
    with alone_in(Path(job.checkpoint_path).parent) as is_alone:
        yield is_alone


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Keep everyone else away from the checkpoints in a job's folder as long as this lasts.

    Yields:
        Whether nobody else has them; false while a driver or a tool does.
    """
    with _opened(folder) as lock:
        yield _locked(lock, fcntl.LOCK_EX)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    # To be read, too: NFS takes a shared lock of a file that may only be written for a fault.
    with (folder / _FILE).open("a+") as stream:
        yield stream.fileno()


def _locked(lock: int, kind: int) -> bool:
    """Whether the lock is held now.

    Raises:
        DependencyUnavailable: the volume knows no locks.
    """
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise DependencyUnavailable(
            f"the volume of the checkpoints takes no lock ({error.strerror}); mount it with locks"
        ) from error
    return True
