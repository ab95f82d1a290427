"""Compile the C sources beside this file into the runtime's library: ``python build.py [OUT]``.

The compiler is the Python package ``ziglang``. The same sources give the same bytes in every folder, since layers of
images are compared by content. The library's build id is a hash of all it is made of: it says whether it is up to date.
"""

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
NAME = "libstreamjob.so"
LIBRARY = SOURCES.parent / "streamjob_runtime" / NAME
GLIBC = "2.28"  # the oldest of systems in use; Debian 12, of the images, has 2.36
ARCHITECTURES = ("aarch64", "x86_64")
FLAGS = (
    "-std=c11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror",
    "-fno-sanitize=undefined", "-s", "-mcpu=baseline", f"-Wl,-soname,{NAME}",
)  # fmt: skip


class NotBuiltError(Exception):
    """Says in a line why there is no library."""


def build(target: Path = LIBRARY) -> bool:
    """Compile what lies beside this file to ``target``; returns whether it had to be done.

    Raises:
        NotBuiltError: without a compiler or sources, on another machine, or with the first error in a source.
    """
    sources = sorted(SOURCES.glob("*.c"))
    if not sources:
        raise NotBuiltError(f"there is no C source in {SOURCES}")
    flags = (*FLAGS, f"--target={_architecture()}-linux-gnu.{GLIBC}")
    build_id = _build_id(flags, sources)
    if target.exists() and bytes.fromhex(build_id) in target.read_bytes():
        return False
    _compile([*flags, f"-Wl,--build-id=0x{build_id}", *(source.name for source in sources)], target)
    return True


def _architecture() -> str:
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        raise NotBuiltError(f"it is for {' and '.join(ARCHITECTURES)}, not for {machine}")
    return machine


def _build_id(flags: tuple[str, ...], sources: list[Path]) -> str:
    digest = hashlib.sha256("\n".join((_compiler(), *flags)).encode())
    for source in sorted((*sources, *SOURCES.glob("*.h"))):
        digest.update(f"\n{source.name} {hashlib.sha256(source.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()[:40]


def _compiler() -> str:
    """Name and version of the compiler, found without importing it: nothing else is asked when all is up to date."""
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise NotBuiltError("the package ziglang is not installed; make setup installs it")
    return next(Path(spec.origin).parents[1].glob("ziglang-*.dist-info")).name


def _compile(arguments: list[str], target: Path) -> None:
    # two thirds of the time of a call that finds all up to date
    import subprocess  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".native-", dir=target.parent) as folder:
        made = Path(folder) / NAME
        state = os.environ.get("STREAMJOB_STATE")
        cache = str(Path(state) / "zig") if state else folder
        caches = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        # names relative to the sources: no folder gets into the library
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "ziglang", "cc", *arguments, "-o", str(made)],
            cwd=SOURCES, env=os.environ | caches, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            made.replace(target)  # a process keeps the file that it has mapped
            return
    sys.stderr.write(done.stderr)
    lines = done.stderr.strip().splitlines() or [f"the compiler ended with {done.returncode}"]
    raise NotBuiltError(next((line for line in lines if "error:" in line), lines[-1]))


def main() -> int:
    """Build the default library, or the one named."""
    try:
        build(*(Path(path).resolve() for path in sys.argv[1:2]))
    except NotBuiltError as error:
        sys.stderr.write(f"{NAME} was not built: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
