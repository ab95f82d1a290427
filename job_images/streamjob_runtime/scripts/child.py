"""The process that runs one script: it gives up all that the script may not have, then it answers calls.

It is started by process.py with an interpreter of its own: ``sys.argv`` has the folder of this package, that of the
libraries, memory in MiB, and the number of the process that starts it. Calls come by standard input, answers go out by
standard output, under other numbers once it runs; what the script prints goes to standard error.
"""

import os
import sys
import sysconfig
from importlib import import_module
from pathlib import Path

from streamjob_runtime.scripts.confinement import Unconfined, end_with, give_up_calls, give_up_files, limit
from streamjob_runtime.scripts.wire import PREFIX, packed, unpacked

_ZONES = Path("/usr/share/zoneinfo")
_LIBRARIES = (Path("/lib"), Path("/lib64"), Path("/usr/lib"), Path("/usr/lib64"))


def main() -> None:
    """Answer until the input ends."""
    libraries, max_memory, parent = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    calls, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        _confine(libraries, max_memory, parent)
    except Unconfined as error:
        _send(answers, packed(0, {"unconfined": str(error)}))
        return
    _send(answers, packed(0, {}))
    _serve(calls, answers)


def _confine(libraries: Path, max_memory: int, parent: int) -> None:
    if sys.platform != "linux":
        raise Unconfined(f"only Linux can keep files and the network from them, and this is {sys.platform}")
    end_with(parent)
    memory = os.open("/proc/self/status", os.O_RDONLY)
    standard = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    # Before there is any other thread: a rule on files is of one thread and of those that it starts.
    give_up_files({*standard, *_LIBRARIES, _ZONES, libraries, Path(__file__).parent})
    _warm_up()
    limit(max_memory << 20, _data(memory))
    os.close(memory)
    give_up_calls()


def _warm_up() -> None:
    """Import what scripts need, and have Polars start the threads that it needs: there will be no others."""
    import_module("streamjob_runtime.scripts.evaluation")
    import polars as pl  # noqa: PLC0415 (under the rules on files)

    frame = pl.DataFrame({"asset": ["a", "b"], "time": [1, 2], "value": [1.0, None]})
    frame.lazy().group_by("asset").agg(pl.col("value").sum()).sort("asset").collect()
    frame.join(frame, on="asset").with_columns(pl.col("value").rolling_mean(2).over("asset"))
    str(frame)


def _data(status: int) -> int:
    """Return the memory that RLIMIT_DATA counts, in bytes."""
    lines = os.pread(status, 8192, 0).decode().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))


def _serve(calls: int, answers: int) -> None:
    from streamjob_runtime.scripts.evaluation import Script  # noqa: PLC0415 (under the rules on files)

    script = None
    while True:
        number, length = PREFIX.unpack(_read(calls, PREFIX.size))
        try:
            head, parts = unpacked(_read(calls, length))
        except MemoryError:
            _send(answers, packed(number, {"fault": "the records alone take more memory than the script may"}))
            continue
        if script is None:
            script = Script(head)
            _send(answers, packed(number, {"fault": script.fault}))
            continue
        fault, answer = script.answer(number, head, parts)
        sys.stdout.flush()
        _send(answers, packed(number, {"fault": fault}) if fault is not None else answer)
        # They are let go before the next ones come.
        del head, parts, answer


def _read(file: int, length: int) -> bytearray:
    read = bytearray(length)
    view, begin = memoryview(read), 0
    while begin < length:
        count = os.readv(file, [view[begin:]])
        if not count:
            os._exit(0)  # the driver's process has ended; nothing that the script left takes part
        begin += count
    view.release()
    return read


def _send(file: int, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[os.write(file, view) :]
