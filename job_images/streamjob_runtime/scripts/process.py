"""A script's process, as the driver's process that has it sees it: started once, asked, killed, started anew.

Nothing of what it says is trusted: its answers are read up to a length and a time, and any that has not the form of one
ends it.
"""

import atexit
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import polars as pl

from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.scripts.causes import one_line
from streamjob_runtime.scripts.printed import Printed
from streamjob_runtime.scripts.wire import MAX_ANSWER, MAX_HEAD, PREFIX, BadMessage, Parts, packed, unpacked
from streamjob_runtime.worker_environment import FOR_WORKERS

# To import Polars on a machine that is short of everything.
_START_SECONDS = 120.0
_CHUNK = 1 << 20
_CODE = Path(__file__).parents[2]
_ENVIRONMENT: Final = {
    **FOR_WORKERS,
    # Polars' allocator would want a thread for each further CPU that the process comes to, and tell that it gets none.
    "_RJEM_MALLOC_CONF": "background_thread:false",
}
_BOOT = "import sys; sys.path += sys.argv[1:3]; from streamjob_runtime.scripts.child import main; main()"


@dataclass(frozen=True)
class Setting:
    """One script with its limits.

    Attributes:
        outputs: points that it may give.
        max_memory: in MiB.
    """

    script: str
    mode: str
    outputs: tuple[str, ...]
    max_seconds: float
    max_memory: int


class Answer(NamedTuple):
    """What came of a call.

    Attributes:
        fault: why nothing did; None: something did.
    """

    fault: str | None
    head: Mapping[str, Any]
    parts: Mapping[str, memoryview]


class _Broken(Exception):  # noqa: N818 (what the process is)
    """The process is of no use any more; the message is the cause."""


class ScriptProcess:
    """The process of one script; it is started when it is first asked."""

    def __init__(self, setting: Setting, printed: Printed | None = None) -> None:
        self._setting = setting
        self._printed = printed or Printed(setting.outputs[0])
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._fault: str | None = None

    def load(self) -> str | None:
        """Start it with its script; return why the script will never do, None where that is not known.

        Raises:
            InvalidConfiguration: this machine has no means to confine it.
        """
        try:
            self._start()
        except _Broken:  # such as a machine that is busy: the records will tell
            self.end()
        return self._fault

    def ask(self, head: Mapping[str, Any], parts: Parts) -> Answer:
        """Give records to the script.

        Raises:
            InvalidConfiguration: this machine has no means to confine it.
        """
        if self._process is not None and self._process.poll() is not None:
            self.end()  # between calls, for which no record is to blame
        try:
            if self._process is None:
                self._start()
            if self._fault is not None:
                return Answer(self._fault, {}, {})
            answer = self._exchange(head, parts, self._setting.max_seconds)
        except _Broken as broken:
            self.end()
            return Answer(str(broken), {}, {})
        fault = answer[0].get("fault")
        return Answer(None if fault is None else one_line(fault), *answer)

    def end(self) -> None:
        """Kill it, whatever it is doing."""
        process, self._process, self._fault = self._process, None, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                _closed(pipe.close)
        self._printed.end()

    def _start(self) -> None:
        libraries = Path(pl.__file__).parents[1]
        told = (str(_CODE), str(libraries), str(self._setting.max_memory), str(os.getpid()))
        # The folder is gone once the process is there: it has nowhere to look around.
        with TemporaryDirectory() as folder:
            self._process = subprocess.Popen(  # noqa: S603 (this interpreter)
                [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOT, *told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=folder,
                env=_ENVIRONMENT,
                start_new_session=True,
            )
        for pipe in self._pipes():
            os.set_blocking(pipe, False)
        self._number = 0
        head, _ = self._answer(b"", _START_SECONDS)
        if "unconfined" in head:
            self.end()
            raise InvalidConfiguration(f"scripts cannot run here: {one_line(head['unconfined'])}")
        setting = self._setting
        told_once = {
            "script": setting.script,
            "mode": setting.mode,
            "outputs": setting.outputs,
            "maxMemory": setting.max_memory,
        }
        fault = self._exchange(told_once, {}, setting.max_seconds)[0].get("fault")
        self._fault = None if fault is None else one_line(fault)

    def _pipes(self) -> tuple[int, int, int]:
        process = self._process
        assert process is not None and process.stdin and process.stdout and process.stderr  # noqa: S101, PT018
        return process.stdin.fileno(), process.stdout.fileno(), process.stderr.fileno()

    def _exchange(
        self, head: Mapping[str, Any], parts: Parts, seconds: float
    ) -> tuple[dict[str, Any], dict[str, memoryview]]:
        self._number += 1
        return self._answer(packed(self._number, head, parts), seconds)

    def _answer(self, call: bytes, seconds: float) -> tuple[dict[str, Any], dict[str, memoryview]]:
        """Write a call and read the answer of the same number.

        Raises:
            _Broken: none came in time, or something else.
        """
        body = _Answering(self._number)
        calls, answers, printed = self._pipes()
        waiting = select.poll()
        for file, events in ((answers, select.POLLIN), (printed, select.POLLIN), (calls, select.POLLOUT)):
            waiting.register(file, events)
        rest, until = memoryview(call), time.monotonic() + seconds
        while not body.is_whole:
            ready = dict(waiting.poll(max(0.0, until - time.monotonic()) * 1000))
            if printed in ready and not self._drained(printed):
                waiting.unregister(printed)
            if answers in ready and not body.read(answers):
                raise _Broken(self._end_in_words())
            if calls in ready:
                rest = rest[_written(calls, rest) :]
                if not rest:
                    waiting.unregister(calls)
            if time.monotonic() >= until and not body.is_whole:
                raise _Broken(f"the script took longer than {seconds:g} s")
        self._drained(printed)
        try:
            return unpacked(body.body, MAX_HEAD)
        except BadMessage as bad:
            raise _Broken("the script wrote into the pipe of its process") from bad

    def _drained(self, printed: int) -> bool:
        """Take what was printed; False: nothing will be any more."""
        text = _read(printed)
        if text:
            self._printed.add(text)
        return text != b""

    def _end_in_words(self) -> str:
        process = self._process
        assert process is not None  # noqa: S101
        self._drained(self._pipes()[2])
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:
            return "the script closed the pipe of its process"
        if code >= 0:
            return "the script ended its process"
        name = signal.Signals(-code).name if -code in {*signal.Signals} else str(-code)
        return f"the script's process was ended by {name}, as when it takes more than {self._setting.max_memory} MiB"


class _Answering:
    """An answer that is being read."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._prefix = b""
        self._length: int | None = None
        self.body = bytearray()

    @property
    def is_whole(self) -> bool:
        return self._length is not None and len(self.body) == self._length

    def read(self, file: int) -> bool:
        """Take what is there; False: nothing will be any more.

        Raises:
            _Broken: it is no answer.
        """
        left = PREFIX.size - len(self._prefix) if self._length is None else self._length - len(self.body)
        part = _read(file, min(_CHUNK, left))
        if part == b"":
            return False
        if self._length is not None:
            self.body += part or b""
        else:
            self._begin(part or b"")
        return True

    def _begin(self, part: bytes) -> None:
        self._prefix += part
        if len(self._prefix) == PREFIX.size:
            number, self._length = PREFIX.unpack(self._prefix)
            if number != self._number or self._length > MAX_ANSWER:
                raise _Broken("the script wrote into the pipe of its process")


def _read(file: int, most: int = 65_536) -> bytes | None:
    """Return what is there; empty at its end, None where there is nothing yet."""
    try:
        return os.read(file, most)
    except BlockingIOError:
        return None


def _written(file: int, rest: memoryview) -> int:
    """Write what fits; a process that does not read any more is told by its answers' end."""
    try:
        return os.write(file, rest[:_CHUNK]) if rest else 0
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(rest)


def _closed(close: Callable[[], None]) -> None:
    try:
        close()
    except OSError:
        return


_PROCESSES: Final[dict[Setting, ScriptProcess]] = {}


def process_of(setting: Setting) -> ScriptProcess:
    """Return the process of a script, one for all shards of this Python process."""
    if setting not in _PROCESSES:
        _PROCESSES[setting] = ScriptProcess(setting)
    return _PROCESSES[setting]


@atexit.register
def end_all() -> None:
    """Kill all of them."""
    while _PROCESSES:
        _PROCESSES.popitem()[1].end()
