"""The volume claim that a job's checkpoints live on."""

from streamjob_api.stream_resource import VolumeClaim
from streamjob_operator.observed import Job, Manifest
from streamjob_operator.plan.names import claim_name, metadata
from streamjob_operator.validation import Runnable


def volume_claim(job: Job, runnable: Runnable) -> Manifest:
    """ReadWriteOnce: at most one node holds the checkpoint, which also keeps two drivers on two nodes apart."""
    wanted = runnable.resource_spec.checkpoints.claim or VolumeClaim()
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(job, claim_name(job.key.name), "checkpoint"),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **({"storageClassName": wanted.storage_class_name} if wanted.storage_class_name else {}),
            "resources": {"requests": {"storage": wanted.size}},
        },
    }
