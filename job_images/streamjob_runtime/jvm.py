"""A driver's JVM, started as ``spark-submit`` would start it: without the shell and the second JVM that only work out
its command line, and by a class path in a fixed order, without which no archive of its classes is taken.

Source: https://github.com/apache/spark/blob/v4.2.0/python/pyspark/java_gateway.py
"""

import os
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Made with the image (job_images/layers/archive_classes); a JVM without it, or with other jars, loads them one by one.
CLASS_ARCHIVE = Path("/opt/streamjob/classes.jsa")
# Made of job_images/java; a checkout without it goes on with Hadoop's own.
OWN_CLASSES = Path(__file__).with_name("streamjob.jar")
_LOOK_SECONDS = 0.02
# of org.apache.spark.launcher.JavaModuleOptions
MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.invoke=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.net=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.cs=ALL-UNNAMED",
    "--add-opens=java.base/sun.security.action=ALL-UNNAMED",
    "--add-opens=java.base/sun.util.calendar=ALL-UNNAMED",
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)


class JvmEnded(Exception):  # noqa: N818 (what became of it)
    """The JVM ended before it answered; its own words are in the log."""


@contextmanager
def running_jvm(spark_home: Path, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A JVM that pyspark's ``launch_gateway`` finds while this lasts.

    The JVM itself goes on until its input is closed, so its process must be kept.

    Raises:
        JvmEnded: at once.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "gateway"
        environment = {
            **os.environ,
            "SPARK_HOME": str(spark_home),
            "SPARK_CONNECT_MODE": "0",
            "_PYSPARK_DRIVER_CONN_INFO_PATH": str(told),
        }
        process = subprocess.Popen(  # noqa: S603 (the image's Java, by its PATH)
            command(spark_home, settings),
            env=environment,
            stdin=subprocess.PIPE,
            preexec_fn=_ignore_interrupts,  # noqa: PLW1509 (one system call)
        )
        while not told.exists():
            if process.poll() is not None:
                process.communicate()
                raise JvmEnded(f"the JVM ended with {process.returncode}")
            time.sleep(_LOOK_SECONDS)
        port, secret = _connection(told.read_bytes())
    found = {"PYSPARK_GATEWAY_PORT": port, "PYSPARK_GATEWAY_SECRET": secret}
    os.environ.update(found)
    try:
        yield process
    finally:
        for name in found:
            del os.environ[name]


def command(spark_home: Path, settings: Mapping[str, str]) -> list[str]:
    """The command line of a driver's JVM with Spark's settings."""
    told = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    return [
        "java",
        f"-Xmx{settings['spark.driver.memory']}",
        *settings["spark.driver.extraJavaOptions"].split(),
        *_archive_options(CLASS_ARCHIVE),
        *MODULE_OPTIONS,
        "-cp",
        class_path(spark_home / "jars"),
        "org.apache.spark.deploy.SparkSubmit",
        *told,
        "pyspark-shell",
    ]


def class_path(jars: Path) -> str:
    """Spark's jars by their names, but the API of its logging first, as ``spark-submit`` has it; our own last."""
    found = sorted(jars.glob("*.jar"), key=lambda jar: (not jar.name.startswith("slf4j-api-"), jar.name))
    own = [OWN_CLASSES] if OWN_CLASSES.exists() else []
    return os.pathsep.join(map(str, [*found, *own]))


def file_settings() -> dict[str, str]:
    """Spark's settings by which no process is started for a file of a checkpoint; none without our classes."""
    if not OWN_CLASSES.exists():
        return {}
    return {
        "spark.hadoop.fs.file.impl": "streamjob.InProcessLocalFileSystem",
        # the default one goes by Hadoop's other interface, which knows no such class and starts ``readlink``, too
        "spark.sql.streaming.checkpointFileManagerClass": (
            "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
        ),
    }


def _archive_options(archive: Path) -> Sequence[str]:
    return [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []


def _connection(told: bytes) -> tuple[str, str]:
    """Port and secret, as ``PythonGatewayServer`` writes them: two numbers, the second the secret's length."""
    port, length = struct.unpack_from(">ii", told)
    return str(port), told[8 : 8 + length].decode()


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
