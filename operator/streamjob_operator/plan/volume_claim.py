"""The volume claim that a job's checkpoints live on."""

from streamjob_api.stream_resource import VolumeClaim
from streamjob_operator.observed import Job, Manifest
from streamjob_operator.plan.names import claim_name, metadata
from streamjob_operator.validation import Runnable


def volume_claims(job: Job, runnable: Runnable) -> list[Manifest]:
    """The job's own claim; none where its OU names a claim that all share."""
    wanted = runnable.resource_spec.checkpoints.claim
    return [_volume_claim(job, wanted)] if wanted else []


def _volume_claim(job: Job, wanted: VolumeClaim) -> Manifest:
    """ReadWriteOnce: at most one node holds the checkpoint, which also keeps two drivers on two nodes apart."""
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
