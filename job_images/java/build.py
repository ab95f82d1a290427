"""Compile the Java beside this file into the runtime's classes: ``python build.py [OUT]``.

The compiler is Janino, which Spark brings, on any Java. The same sources give the same bytes and times in every folder,
since layers of images are compared by content, and an archive of classes by their jars' times. The jar's comment is a
hash of all it is made of: it says whether the jar is up to date.
"""

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
NAME = "streamjob.jar"
JAR = SOURCES.parent / "streamjob_runtime" / NAME
# those on which the classes' bytes depend
_DECIDING = ("commons-compiler-*.jar", "hadoop-client-api-*.jar", "janino-*.jar")
_YEAR = (1980, 1, 1, 0, 0, 0)  # a zip's first
_SECONDS = 315_532_800  # the same, since 1970


class NotBuiltError(Exception):
    """Says in a line why there is no jar."""


def build(target: Path = JAR) -> bool:
    """Compile what lies beside this file to ``target``; returns whether it had to be done.

    Raises:
        NotBuiltError: without Java, Spark or sources, or with the first error in a source.
    """
    sources = sorted(SOURCES.glob("*.java"))
    if not sources:
        raise NotBuiltError(f"there is no Java source in {SOURCES}")
    jars = _spark_jars()
    build_id = _build_id(jars, sources)
    if target.exists() and target.read_bytes().endswith(build_id):
        return False
    classes: dict[str, bytes] = {}
    for source in sources:
        classes.update(_compiled(source, jars))
    _write(target, classes, build_id)
    return True


def _spark_jars() -> Path:
    """Found without importing Spark: nothing else is asked when all is up to date."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise NotBuiltError("the package pyspark is not installed; make setup installs it")
    return Path(spec.origin).parent / "jars"


def _build_id(jars: Path, sources: list[Path]) -> bytes:
    names = [jar.name for pattern in _DECIDING for jar in sorted(jars.glob(pattern))]
    digest = hashlib.sha256("\n".join(names).encode())
    for source in (*sources, Path(__file__)):
        digest.update(f"\n{source.name} {hashlib.sha256(source.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest().encode()


def _compiled(source: Path, jars: Path) -> dict[str, bytes]:
    """A source's classes by their full names."""
    # half of the time of a call that finds all up to date
    from py4j.java_gateway import JavaGateway  # type: ignore[import-untyped]  # noqa: PLC0415
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        gateway = JavaGateway.launch_gateway(
            jarpath=str(next(jars.glob("py4j-*.jar"))), classpath=f"{jars}/*", die_on_exit=True
        )
    except OSError as error:
        raise NotBuiltError(f"Java does not start: {error}") from error
    try:
        compiler = gateway.jvm.org.codehaus.janino.SimpleCompiler()
        compiler.cook(source.name, gateway.jvm.java.io.StringReader(source.read_text()))
        return dict(compiler.getBytecodes())
    except Py4JJavaError as error:
        raise NotBuiltError(error.java_exception.getMessage()) from None
    finally:
        gateway.shutdown()
        gateway.java_process.stdin.close()
        gateway.java_process.wait()  # its output has a reader already: the gateway's own thread


def _write(target: Path, classes: dict[str, bytes], build_id: bytes) -> None:
    import tempfile  # noqa: PLC0415
    from zipfile import ZipFile, ZipInfo  # noqa: PLC0415

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".java-", dir=target.parent) as folder:
        made = Path(folder) / NAME
        with ZipFile(made, "w") as jar:
            for name, content in sorted(classes.items()):
                jar.writestr(ZipInfo(f"{name.replace('.', '/')}.class", _YEAR), content)
            jar.comment = build_id
        made.chmod(0o644)
        os.utime(made, (_SECONDS, _SECONDS))
        made.replace(target)  # a JVM keeps the file that it has mapped


def main() -> int:
    """Build the default jar, or the one named."""
    try:
        build(*(Path(path).resolve() for path in sys.argv[1:2]))
    except NotBuiltError as error:
        sys.stderr.write(f"{NAME} was not built: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
