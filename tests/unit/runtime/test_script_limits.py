"""What a script that means harm can do: fail, and nothing else; its process is survived, and told."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fixtures.confinement import needs_confinement
from streamjob_runtime.scripts.printed import Printed
from streamjob_runtime.scripts.process import ScriptProcess, Setting
from streamjob_runtime.worker_environment import FOR_WORKERS
from unit.runtime.script_calls import given_back

pytestmark = needs_confinement
RECORDS = pl.DataFrame(
    {"asset": ["m1", "m2"], "point": ["M::A"] * 2, "time": [1_700_000_000_000] * 2, "value": [1.0, 2.0]}
)
HARMLESS = "return records.select('asset', 'time', 'value')"
SECONDS = 2.0


class Asked:
    """A script's process, and what it printed."""

    def __init__(self, body: str, before: str = "") -> None:
        text = (
            f"import os, polars as pl\n{before}\ncalls = 0\ndef evaluate(records):\n    global calls\n    calls += 1\n"
        )
        script = text + "".join(f"    {line}\n" for line in [*body.splitlines(), HARMLESS])
        self.printed: list[str] = []
        setting = Setting(script, "batch", ("M::X",), SECONDS, 64)
        self.process = ScriptProcess(setting, Printed("M::X", self.printed.append))

    def __call__(self) -> str | None:
        """Return the cause for which a call failed."""
        return given_back(self.process, RECORDS)


@pytest.fixture
def asked() -> Iterator[Any]:
    made: list[Asked] = []

    def ask(body: str, before: str = "") -> Asked:
        made.append(Asked(body, before))
        return made[-1]

    yield ask
    for each in made:
        each.process.end()


def denied(body: str) -> str:
    """Return a body that says whether something was refused, and goes on."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return (
        f"try:\n{lines}\n    print('it could')\nexcept (PermissionError, RuntimeError) as error:\n    print('refused')"
    )


def test_files_of_the_job_cannot_be_read(asked: Any, tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    job.write_text("secret")
    for path in (str(job), "/etc/passwd", f"/proc/{os.getpid()}/environ", "/proc/self/environ", __file__):
        script = asked(denied(f"open({path!r}).read()"))
        assert (script(), script.printed) == (None, ["script of M::X: refused"]), path
        script.process.end()
    assert asked(denied(f"os.listdir({str(tmp_path)!r})")).__call__() is None


@pytest.mark.parametrize(
    "body",
    [
        "os.listdir('/')",
        "open('/tmp/made-by-a-script', 'w')",
        "os.mkdir('/tmp/made-by-a-script')",
        "os.chmod('/tmp', 0o777)",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "import subprocess; subprocess.run(['/bin/true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "import threading; threading.Thread(target=print).start()",
        "os.kill(os.getppid(), 9)",
        "os.kill(-1, 9)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "os.setpriority(os.PRIO_PROCESS, 0, 19)",
        "import mmap; mmap.mmap(-1, 1 << 30)",
        "os.memfd_create('memory')",
        "import socket; socket.socketpair()",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import fcntl; fcntl.fcntl(2, fcntl.F_SETOWN, os.getppid())",
    ],
)
def test_the_kernel_refuses(body: str, asked: Any) -> None:
    script = asked(denied(body))
    assert (script(), script.printed) == (None, ["script of M::X: refused"])


def test_limits_cannot_be_lifted(asked: Any) -> None:
    script = asked(
        "import resource\ntry:\n    resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\nexcept (ValueError, OSError):\n"
        "    print('refused')"
    )
    assert (script(), script.printed) == (None, ["script of M::X: refused"])


def test_no_port_can_be_reached(asked: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = asked(denied(f"import socket\nsocket.create_connection(('127.0.0.1', {port}))"))
        assert (script(), script.printed) == (None, ["script of M::X: refused"])


OPEN_FILES = """
def open_files():
    for file in range(64):
        try:
            yield os.readlink(f"/proc/self/fd/{file}").split(":")[0]
        except OSError:
            pass
"""


def test_nothing_of_the_driver_is_passed_on(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMJOB_SECRET", "s")
    script = asked("print(*sorted(os.environ))\nprint(*sorted(open_files()))", OPEN_FILES)
    assert script() is None
    environment, files = (line.removeprefix("script of M::X: ") for line in script.printed)
    # What Python and Polars set themselves comes on top.
    assert set(environment.split()) <= {*FOR_WORKERS, "LC_CTYPE", "_RJEM_MALLOC_CONF"}
    # Calls, answers, and what is printed in two ways; what waits for events is of Polars.
    assert [file for file in files.split() if file != "anon_inode"] == ["/dev/null", "pipe", "pipe", "pipe", "pipe"]


def test_the_allocator_wants_no_threads_that_it_may_not_have(asked: Any) -> None:
    script = asked("print(os.getpid())")
    assert script() is None
    process = int(script.printed[0].rsplit(" ", 1)[1])
    threads = {(task / "comm").read_text().strip() for task in Path(f"/proc/{process}/task").iterdir()}
    assert "jemalloc_bg_thd" not in threads


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("while True: pass", "the script took longer than 2 s"),
        ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60))\nwhile True: pass", "the script took"),
        ("bytearray(1 << 30)", "the script took more memory than 64 MiB in line 7"),
        ("x = []\nwhile True: x.append(bytes(1 << 20))", "the script took more memory than 64 MiB in line 8"),
        ("os._exit(0)", "the script ended its process"),
        ("raise SystemExit", "the script failed: SystemExit in line 7"),
        ("import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", ""),
        ("import ctypes; ctypes.string_at(0)", "the script's process was ended by SIGSEGV"),
        ("os.closerange(0, 64)", "the script ended its process"),
        ("return pl.DataFrame({'asset': ['m1'] * 10**6, 'time': 1700000000000, 'value': 1.0})", ""),
        (
            "for file in range(3, 32):\n  try: os.write(file, b'x' * 4096)\n  except OSError: pass",
            "the script wrote into",
        ),
        ("raise type('E' * 9999, (Exception,), {})('secret')", "the script failed: " + "E" * 60),
        ("import streamjob_runtime.scripts.child as c; c._send = lambda *a: None", "the script took longer than 2 s"),
        ("import builtins; del builtins.len", ""),
    ],
)
def test_it_is_survived_told_and_asked_again(body: str, cause: str, asked: Any) -> None:
    script = asked(body)
    for _ in range(2):
        told = script()
        assert told is not None
        assert told.startswith(cause)
        assert "secret" not in told


def test_answers_that_are_written_ahead_are_not_taken(asked: Any) -> None:
    body = """
import streamjob_runtime.scripts.wire as wire
for number in (2, 3):
    forged = wire.packed(number, {"fault": "forged"})
    for file in range(3, 32):
        try: os.write(file, forged)
        except OSError: pass
"""
    script = asked(body)
    # Its own answers it may forge; what stands behind one is not taken for another one's.
    assert [script(), script()] == ["forged", "forged"]
    assert "pipe" in str(script())


def test_after_a_lost_process_a_harmless_call_is_answered(asked: Any) -> None:
    script = asked("if records['value'][0] < 0: os._exit(1)")
    bad = RECORDS.with_columns(pl.col("value") * -1)
    assert given_back(script.process, bad) == "the script ended its process"
    assert script() is None


def test_a_process_that_is_lost_between_calls_costs_no_record(asked: Any) -> None:
    script = asked("")
    assert script() is None
    script.process._process.kill()
    script.process._process.wait()
    assert script() is None


def test_what_it_prints_is_cut(asked: Any) -> None:
    script = asked("print('a\\x1b[0m' + 'b' * 1000)\nfor n in range(100_000): print(n)")
    assert script() is None
    assert len(script.printed) == 61
    assert script.printed[0] == "script of M::X: a [0m" + "b" * 295
    assert "more than 60 lines a minute" in script.printed[-1]


def test_it_ends_with_its_driver(asked: Any) -> None:
    """Even one that is at work: a process is killed with the thread that started it."""
    script = asked("while True: pass")
    pids: list[int] = []

    def start() -> None:
        script.process._start()
        pids.append(script.process._process.pid)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert script.process._process.wait(10) == -9
