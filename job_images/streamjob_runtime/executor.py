"""An executor of a Cluster job: the JVM that the driver has asked for, in the place of this process.

Spark asks for it by the argument ``executor`` and the environment; what its own images' entrypoint makes of that is
made here.

Source: https://github.com/apache/spark/blob/v4.2.0/resource-managers/kubernetes/docker/src/main/dockerfiles/spark/entrypoint.sh
"""

import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path

from streamjob_runtime.jvm import OWN_CLASSES

ARGUMENT = "executor"
_BACKEND = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
_JAVA_OPTION = re.compile(r"SPARK_JAVA_OPT_(\d+)")
# Option of the backend: variable that Spark sets.
_TOLD = {
    "--driver-url": "SPARK_DRIVER_URL",
    "--executor-id": "SPARK_EXECUTOR_ID",
    "--cores": "SPARK_EXECUTOR_CORES",
    "--app-id": "SPARK_APPLICATION_ID",
    "--hostname": "SPARK_EXECUTOR_POD_IP",
    "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
    "--podName": "SPARK_EXECUTOR_POD_NAME",
}


def become_executor() -> None:
    """Replace this process; it does not return."""
    os.execvp("java", executor_command(os.environ, _jars()))  # noqa: S606, S607 (the image's Java, by its PATH)


def executor_command(environment: Mapping[str, str], jars: Path) -> list[str]:
    """The command line of an executor.

    Args:
        environment: what Spark's driver has put into the pod.
        jars: folder of Spark's jars.
    """
    numbered = [
        (int(found[1]), value) for name, value in environment.items() if (found := _JAVA_OPTION.fullmatch(name))
    ]
    heap = environment["SPARK_EXECUTOR_MEMORY"]
    told = [part for option, name in _TOLD.items() for part in (option, environment[name])]
    options = [value for _, value in sorted(numbered)]
    class_path = f"{jars}/*{os.pathsep}{OWN_CLASSES}"
    return ["java", *options, f"-Xms{heap}", f"-Xmx{heap}", "-cp", class_path, _BACKEND, *told]


def _jars() -> Path:
    """Where pyspark keeps Spark; it is not imported, since that takes a second."""
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("pyspark")
    return Path(found.origin).parent / "jars"
