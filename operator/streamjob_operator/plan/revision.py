"""The ControllerRevision that holds a spec as it was deployed, so that it can be run again."""

from streamjob_api.stream_job import StreamJobSpec
from streamjob_operator.observed import Job, Manifest, digest
from streamjob_operator.plan.names import metadata

SPEC_KEY = "spec"


def revision(job: Job, spec: StreamJobSpec, generation: int) -> Manifest:
    """One for each spec: its name says what it holds, so that the same spec is kept once."""
    given = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        # With the UID, for a job of the same name may have been deleted a moment ago.
        "metadata": metadata(job, f"{job.key.name}-{digest([job.uid, given])}", "revision"),
        "revision": generation,
        "data": {SPEC_KEY: given},
    }
