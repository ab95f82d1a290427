"""What a program asks of the callgrind that runs it: where counting begins, and where its counts go.

A client request is a sequence of instructions that does nothing on a processor and means something to valgrind
(valgrind.h, ``VALGRIND_DO_CLIENT_REQUEST_EXPR`` of amd64 Linux; callgrind.h for the numbers). Valgrind offers it to C
alone, so the sequence is laid into a page of its own here and called as a function.
"""

import ctypes
import mmap
import platform
from collections.abc import Callable
from functools import cache

# long request(long args[6]), System V calling convention.
_REQUEST = bytes.fromhex(
    "4889f8"  # mov rax, rdi: the arguments
    "31d2"  # xor edx, edx: the answer of a processor
    "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi by 3, 13, 61 and 51: 128 bits, so unchanged
    "4887db"  # xchg rbx, rbx: the request itself
    "4889d0"  # mov rax, rdx: the answer
    "c3"  # ret
)
_RUNNING_ON_VALGRIND = 0x1001
_CALLGRIND = (ord("C") << 24) | (ord("T") << 16)
_DUMP_STATS_AT, _START_INSTRUMENTATION = _CALLGRIND + 3, _CALLGRIND + 4

# The name of counts that nobody asks for. Callgrind has a request to forget them, too, but that leaves what the other
# threads of the program have counted.
UNCOUNTED = "uncounted"


def is_under_valgrind() -> bool:
    """Whether valgrind runs this process."""
    return _ask(_RUNNING_ON_VALGRIND) > 0


def start_counting() -> None:
    """Begin to count; before, the program runs several times as fast."""
    _ask(_START_INSTRUMENTATION)


def write_counts(name: str) -> None:
    """Write what was counted since the last time to callgrind's next file, under a name."""
    text = ctypes.create_string_buffer(name.encode())
    _ask(_DUMP_STATS_AT, ctypes.addressof(text))


def _ask(request: int, argument: int = 0) -> int:
    return int(_entry()((ctypes.c_long * 6)(request, argument)))


@cache
def _entry() -> Callable[[ctypes.Array[ctypes.c_long]], int]:
    """Return the sequence as a function.

    Raises:
        OSError: this is no amd64 Linux, whose sequence it is.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise OSError(f"client requests of {platform.system()} on {platform.machine()} are not known here")
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_REQUEST)
    function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    function.page = page  # type: ignore[attr-defined]  # lives as long as the function
    return function
