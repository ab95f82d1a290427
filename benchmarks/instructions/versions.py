"""What instruction counts depend on beside the code: counts of other versions cannot be compared."""

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

Versions = Mapping[str, str]

# Those that uv.lock fixes; the others are the machine's.
LOCKED = ("polars", "pyarrow", "numpy")
# The features of x86-64-v3 (System V ABI, micro-architecture levels); what a processor has beyond, valgrind does not
# show to the program.
_V3 = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})


def versions_here(valgrind: str) -> Versions:
    """Return what decides which instructions run here, by name; ``valgrind`` is where it is installed."""
    libc, libc_version = platform.libc_ver()
    written = subprocess.run([valgrind, "--version"], check=True, capture_output=True, text=True).stdout
    return {
        "python": f"{platform.python_version()} {platform.python_compiler()}",
        **{package: version(package) for package in LOCKED},
        "libc": f"{libc} {libc_version}",
        "valgrind": written.strip().removeprefix("valgrind-"),
        "processor": level_of(_from_cpuinfo("flags")),
    }


def processor_model() -> str:
    """Return the processor's name; it is written down, and decides nothing."""
    return _from_cpuinfo("model name")


def level_of(flags: str) -> str:
    """Return the micro-architecture level that a program under valgrind may use."""
    return "x86-64-v3" if frozenset(flags.split()) >= _V3 else "x86-64 below v3"


def _from_cpuinfo(name: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
