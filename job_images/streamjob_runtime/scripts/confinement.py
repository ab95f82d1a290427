"""What a script's process gives up before it runs the script: files, the network, other processes, memory.

It works without any right: Landlock and seccomp are for unprivileged processes, and nothing of it can be taken back.

Sources: https://www.kernel.org/doc/html/latest/userspace-api/landlock.html; man 2 seccomp, prctl, setrlimit.
"""

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Iterable
from pathlib import Path

from streamjob_runtime.scripts.system_calls import ARCHITECTURES, program

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION, _RULE_PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many rights on files each version of Landlock knows, from the first on: it refuses those that it does not know.
_FILE_RIGHTS = (13, 14, 15, 15, 16)
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1

_libc = ctypes.CDLL(None, use_errno=True)


class Unconfined(Exception):  # noqa: N818 (what the process would be)
    """The kernel lacks something, or refuses it."""


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def end_with(parent: int) -> None:
    """Have this process killed when the one that started it ends, whatever it is doing."""
    _called("prctl", _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(0)


def give_up_files(readable: Iterable[Path]) -> None:
    """Leave this thread, and those that it starts, nothing but to read below some folders.

    Raises:
        Unconfined: the kernel has no Landlock.
    """
    version = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_CREATE_RULESET_VERSION))
    if version < 1:
        raise Unconfined(
            f"the kernel has no Landlock ({os.strerror(ctypes.get_errno())}), by which files are kept from it"
        )
    rights = (1 << _FILE_RIGHTS[min(version, len(_FILE_RIGHTS)) - 1]) - 1
    # Files; to bind and connect TCP, from version 4 on; sockets and signals of others, from version 6 on.
    handled = struct.pack("<QQQ", rights, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _called(
        "landlock_create_ruleset",
        _libc.syscall(_LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), ctypes.c_uint(0)),
    )
    for folder in readable:
        _let_read(rules, folder)
    _called("prctl", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _called("landlock_restrict_self", _libc.syscall(_LANDLOCK_RESTRICT_SELF, rules, ctypes.c_uint(0)))
    os.close(rules)


def _let_read(rules: int, folder: Path) -> None:
    if not folder.is_dir():
        return
    opened = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    beneath = struct.pack("<Qi", _READ_FILE | _READ_DIR, opened)
    _called(
        "landlock_add_rule",
        _libc.syscall(_LANDLOCK_ADD_RULE, rules, _RULE_PATH_BENEATH, beneath, ctypes.c_uint(0)),
    )
    os.close(opened)


def give_up_calls() -> None:
    """Have the kernel refuse all threads what system_calls.py lists, new threads and processes included.

    Raises:
        Unconfined: the kernel has no such filter, or the processor is unknown here.
    """
    machine = platform.machine()
    own = ARCHITECTURES.get(machine)
    if own is None:
        raise Unconfined(f"system calls of {machine} are not known here, so that none can be kept from it")
    steps = program(own, os.getpid())
    filtering = _Filter(len(steps) // 8, steps)
    _called(
        "seccomp",
        _libc.syscall(
            _SECCOMP[machine],
            ctypes.c_uint(_SET_MODE_FILTER),
            ctypes.c_uint(_FLAG_TSYNC),
            ctypes.byref(filtering),
        ),
    )


def limit(max_memory: int, taken: int) -> None:
    """Limit what the process may take, in bytes beside what it has taken already; it writes no file."""
    for name, most in (
        (resource.RLIMIT_DATA, taken + max_memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(name, (most, most))


def _called(name: str, result: int) -> int:
    if result != 0 and (result < 0 or name in {"seccomp", "prctl"}):
        raise Unconfined(f"the kernel refuses {name} ({os.strerror(ctypes.get_errno())})")
    return result
