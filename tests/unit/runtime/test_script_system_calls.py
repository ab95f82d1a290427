"""The kernel's filter, run as the kernel would run it, for processors that the tests are not on as well."""

import errno
import struct

import pytest

from streamjob_runtime.scripts.system_calls import ARCHITECTURES, program

PID = 4711
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, MISSING = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
X86 = {
    "openat": 257,
    "mmap": 9,
    "clone": 56,
    "socket": 41,
    "execve": 59,
    "ptrace": 101,
    "kill": 62,
    "fcntl": 72,
    "prctl": 157,
    "prlimit64": 302,
    "read": 0,
    "write": 1,
    "futex": 202,
    "unlinkat": 263,
    "bpf": 321,
}
ARM = {
    "openat": 56,
    "mmap": 222,
    "clone": 220,
    "socket": 198,
    "execve": 221,
    "ptrace": 117,
    "kill": 129,
    "fcntl": 25,
    "prctl": 167,
    "prlimit64": 261,
    "read": 63,
    "write": 64,
    "futex": 98,
    "unlinkat": 35,
    "bpf": 280,
}
NUMBERS = {"x86_64": X86, "aarch64": ARM}


def decided(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Return what the filter returns for a call."""
    own = ARCHITECTURES[machine]
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, own.audit if audit is None else audit, 0, *padded)
    steps = [*struct.iter_unpack("<HBBI", program(own, PID))]
    word, at = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (word,) = struct.unpack_from("<I", data, value)
            case 0x54:
                word &= value
            case 0x06:
                return int(value)
            case _:
                holds = {0x15: word == value, 0x45: word & value != 0, 0x35: word >= value}[code]
                at += yes if holds else no


@pytest.mark.parametrize("machine", NUMBERS)
@pytest.mark.parametrize(
    ("name", "arguments", "decision"),
    [
        ("read", (), ALLOWED),
        ("write", (), ALLOWED),
        ("futex", (), ALLOWED),
        ("openat", (0, 0, 0o2000000), ALLOWED),
        ("openat", (0, 0, 1), REFUSED),
        ("openat", (0, 0, 2), REFUSED),
        ("openat", (0, 0, 0o100), REFUSED),
        ("mmap", (0, 0, 0, 0x22), ALLOWED),
        ("mmap", (0, 0, 0, 0x01), ALLOWED),
        ("mmap", (0, 0, 0, 0x21), REFUSED),
        ("clone", (0x10000,), REFUSED),
        ("socket", (), REFUSED),
        ("execve", (), REFUSED),
        ("ptrace", (), REFUSED),
        ("unlinkat", (), REFUSED),
        ("bpf", (), REFUSED),
        ("kill", (PID, 6), ALLOWED),
        ("kill", (1, 9), REFUSED),
        ("fcntl", (0, 3), ALLOWED),
        ("fcntl", (0, 8), REFUSED),
        ("fcntl", (0, 15), REFUSED),
        ("prctl", (1, 0), REFUSED),
        ("prctl", (15, 0), ALLOWED),
        ("prlimit64", (0, 7, 0, 1), ALLOWED),
        ("prlimit64", (0, 7, 1, 0), REFUSED),
        ("prlimit64", (0, 7, 1 << 32, 0), REFUSED),
    ],
)
def test_calls_are_decided(machine: str, name: str, arguments: tuple[int, ...], decision: int) -> None:
    assert decided(machine, NUMBERS[machine][name], *arguments) == decision


@pytest.mark.parametrize("machine", NUMBERS)
def test_what_is_new_or_hides_its_arguments_is_not_there(machine: str) -> None:
    assert {decided(machine, number) for number in (435, 437, 463, 600, 0x40000000 | 41)} == {MISSING}


@pytest.mark.parametrize("machine", NUMBERS)
def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    assert decided(machine, 0, audit=0x40000003) == KILLED


@pytest.mark.parametrize("machine", NUMBERS)
def test_no_call_is_listed_twice(machine: str) -> None:
    denied = ARCHITECTURES[machine].denied
    assert len({*denied}) == len(denied)
