"""If the world followed a job's spec, which objects would exist? Pure: no clock, no cluster, no environment."""

from streamjob_operator.observed import Job, Manifest
from streamjob_operator.plan.config_map import config_map
from streamjob_operator.plan.driver import driver_pod
from streamjob_operator.plan.volume_claim import volume_claims
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Runnable


def plan(job: Job, runnable: Runnable, attempt: int, epoch: int, settings: DriverSettings) -> list[Manifest]:
    """The objects of one attempt, in the order of application: the pod comes last and finds all that it mounts."""
    return [
        config_map(job, runnable, attempt, epoch, settings),
        *volume_claims(job, runnable),
        driver_pod(job, runnable, attempt, epoch, settings),
    ]
