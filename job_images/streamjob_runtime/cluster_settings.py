"""What Spark is told beyond ``spark_session`` where executors do the work: the driver is in its pod already.

Source: https://spark.apache.org/docs/latest/running-on-kubernetes.html#client-mode
"""

from collections.abc import Mapping

from streamjob_api.job_file import BLOCKS_PORT, DRIVER_RPC_PORT, EXECUTOR_TEMPLATE, POD_IP, Executors, JobFile
from streamjob_api.memory import memory_of
from streamjob_api.resources import Resources
from streamjob_runtime.state_layout import task_threads
from streamjob_runtime.worker_environment import FOR_WORKERS

# The whole /tmp of an executor is scratch space; Spark mounts a folder of its own below it.
EXECUTOR_SCRATCH = "/tmp"  # noqa: S108 (an emptyDir of the pod)
# A job that loses executors more often than that within the interval has something that restarting it may cure.
_FAILURES_PER_WORKER = 3
_LEAST_FAILURES = 6
_FAILURES_INTERVAL = "10m"
_KUBERNETES = "spark.kubernetes"


def cluster_settings(
    job: JobFile, told: Executors, environment: Mapping[str, str], java_options: str
) -> dict[str, str]:
    """Settings of a Cluster job.

    Args:
        environment: of the driver's container; Kubernetes says there where its API server and the pod itself are.
        java_options: of the executors' JVM.
    """
    resources = job.spec.resources
    address = environment[POD_IP]
    return {
        "spark.master": f"k8s://https://{_host(environment['KUBERNETES_SERVICE_HOST'])}:{environment['KUBERNETES_SERVICE_PORT']}",
        "spark.driver.host": address,
        "spark.driver.bindAddress": address,
        # fixed, so that network policies can name them
        "spark.driver.port": str(DRIVER_RPC_PORT),
        "spark.blockManager.port": str(BLOCKS_PORT),
        # who is not given the secret neither becomes an executor nor reads a block
        "spark.authenticate": "true",
        f"{_KUBERNETES}.namespace": job.job.namespace,
        f"{_KUBERNETES}.driver.pod.name": told.driver_pod,
        f"{_KUBERNETES}.container.image": told.image,
        f"{_KUBERNETES}.container.image.pullPolicy": told.image_pull_policy,
        f"{_KUBERNETES}.executor.podTemplateFile": EXECUTOR_TEMPLATE,
        f"{_KUBERNETES}.executor.podNamePrefix": told.name_prefix,
        f"{_KUBERNETES}.executor.request.cores": told.cpu_request,
        f"{_KUBERNETES}.executor.limit.cores": told.cpu_limit,
        # executors find all settings in their environment: no rights on ConfigMaps, Services and claims are needed
        f"{_KUBERNETES}.executor.disableConfigMap": "true",
        f"{_KUBERNETES}.driver.service.deleteOnTermination": "false",
        f"{_KUBERNETES}.driver.ownPersistentVolumeClaim": "false",
        f"{_KUBERNETES}.driver.reusePersistentVolumeClaim": "false",
        f"{_KUBERNETES}.executor.enablePollingWithResourceVersion": "true",
        **_size(resources, java_options),
        **_losses(resources),
        **_environment(),
    }


def _host(host: str) -> str:
    """An IPv6 address goes in brackets."""
    return f"[{host}]" if ":" in host else host


def _size(resources: Resources, java_options: str) -> dict[str, str]:
    memory = memory_of(resources.worker_cu)
    return {
        "spark.executor.instances": str(resources.workers),
        "spark.executor.cores": str(task_threads(resources.worker_cu)),
        "spark.executor.memory": f"{memory.heap_mib}m",
        "spark.executor.memoryOverhead": f"{memory.beside_heap_mib}m",
        "spark.executor.extraJavaOptions": java_options,
        "spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB": str(memory.rocksdb_mib),
    }


def _losses(resources: Resources) -> dict[str, str]:
    """What is done about executors that are lost, or never come."""
    failures = max(_LEAST_FAILURES, _FAILURES_PER_WORKER * (resources.workers or 0))
    return {
        "spark.executor.maxNumFailures": str(failures),
        "spark.executor.failuresValidityInterval": _FAILURES_INTERVAL,
        # an executor that is silent, as one on a node that is lost, is given up after two minutes
        "spark.network.timeout": "120s",
        "spark.executor.heartbeatInterval": "10s",
        # and one that has lost its driver ends itself as soon
        "spark.executor.heartbeat.maxFailures": "12",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "10s",
    }


def _environment() -> dict[str, str]:
    """Of executors, and so of their Python workers."""
    told = {
        **FOR_WORKERS,
        "HADOOP_USER_NAME": "streamjob",
        "SPARK_USER": "streamjob",
    }
    return {f"spark.executorEnv.{name}": value for name, value in told.items()}
