"""This project's runtime as it ships: its image, in the pod that the operator would make, on a real cluster."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from benchmarks.runtime.contestant import CORES, Work
from benchmarks.runtime.contestants.streamjob import Streamjob, job_spec
from benchmarks.runtime.pod_session import PodSession, created
from fixtures.host_address import host_address
from fixtures.installation import ensure_crds
from images.delivery import deliver
from localcluster.providers import Cluster
from streamjob_api import kinds
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.extracts import job_of, resource_of
from streamjob_operator.plan import plan
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Lineage, OuFacts, Runnable, check

_NAMESPACE, _JOB = "ou-bench-runtime", "windows"
Manifest = dict[str, Any]


class StreamjobPod:
    """The operator's own functions make the pod; the operator itself does not run beside it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._image = ""
        facts = Streamjob.facts
        settings = {**facts.settings, "as": "a pod of the image that ships, checkpoint on a volume of a local disk"}
        self.facts = replace(facts, settings=settings)

    def prepare(self) -> None:
        ensure_crds(self._cluster)
        self._image = deliver(self._cluster, ["runtime"])["runtime"]
        self._remove()

    def start(self, work: Work) -> PodSession:
        self._cluster.create_namespace(_NAMESPACE)
        self._cluster.kubectl("create", "-f", "-", input=json.dumps(stream_job()))
        job = json.loads(self._cluster.kubectl("-n", _NAMESPACE, "get", "streamjob", _JOB, "-o", "json"))
        return created(self._cluster, planned(job, work, self._image), self._remove)

    def _remove(self) -> None:
        self._cluster.kubectl("delete", "namespace", _NAMESPACE, "--ignore-not-found", "--wait=true")


def planned(job: Manifest, work: Work, image: str) -> list[Manifest]:
    """The objects that the operator would make for a StreamJob that is in the cluster."""
    extract = job_of(job)
    catalogue = Catalogue({("time-window-aggregation", "1.0"): image})
    facts = OuFacts(namespace=_NAMESPACE, resource=resource_of(_resource(work)), catalogue=catalogue)
    verdict = check(extract, facts, Lineage())
    if not isinstance(verdict, Runnable):
        raise SystemExit(f"the benchmark's job is refused: {verdict}")
    # 2 cores cannot hold a pod that requests 2 cores beside the cluster's own; its limit is what counts
    return plan(extract, verdict, attempt=1, epoch=0, settings=DriverSettings(cpu_request_per_cu=0.1))


def stream_job() -> Manifest:
    """The manifest that a user would apply."""
    meta = {"name": _JOB, "namespace": _NAMESPACE}
    return {"apiVersion": kinds.API_VERSION, "kind": kinds.STREAM_JOB, "metadata": meta, "spec": job_spec()}


def _resource(work: Work) -> Manifest:
    """The OU; it is only planned with, nobody reads it in the cluster."""
    return {
        "metadata": {
            "name": "bench",
            "namespace": _NAMESPACE,
            "uid": "bench",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "orgId": work.org_id,
            "capacity": {"design": 1, "standalone": CORES},
            "libraries": [{"name": "time-window-aggregation", "version": "1.0"}],
            "kafka": {"bootstrapServers": work.bootstrap_servers},
            "source": {"topics": {"origin": work.input_topic, "cal": work.output_topic}},
        },
    }


def node_address(cluster: Cluster) -> str:
    """The address by which pods reach this machine, without which there is nothing to measure."""
    if (address := host_address(cluster)) is None:
        raise SystemExit("No node of the cluster is this machine: CPU of its pods cannot be measured from here")
    return address
