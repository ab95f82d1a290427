"""What a job is doing, as far as its checkpoint is concerned; pure."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from streamjob_api import kinds
from streamjob_api.job_file import JOB_FILE, JobFile
from streamjob_api.lifecycle import DesiredState
from streamjob_cli.tool_pod import Subject, claim_of

Manifest = dict[str, Any]
_KEY = PurePath(JOB_FILE).name
_ENDED = {"Succeeded", "Failed"}


class WrongState(Exception):  # noqa: N818 (what it is)
    """What is asked cannot be done to the job as it is."""


def live_driver(drivers: Sequence[Manifest]) -> Manifest | None:
    """Return the driver that lives, be it that it ends."""
    return max(_alive(drivers), key=_attempt, default=None)


def _alive(pods: Sequence[Manifest]) -> list[Manifest]:
    return [pod for pod in pods if pod.get("status", {}).get("phase") not in _ENDED]


def refuse_unless_paused(job: Manifest, pods: Sequence[Manifest], what: str) -> None:
    """See that nothing is at work on the checkpoint, and nothing will be before the user asks for it.

    Args:
        job: the StreamJob.
        pods: its drivers and executors; an executor that has lost its driver may still write state.
        what: is to be done.

    Raises:
        WrongState: with what to do.
    """
    name, state = job["metadata"]["name"], desired_state(job)
    if state in {DesiredState.STOPPED, DesiredState.DRAFT, DesiredState.RELEASED}:
        raise WrongState(
            f"{name}: spec.state is {state}: there are no offsets and no state to {what}; spec.startFrom decides where "
            "the job begins"
        )
    if state is not DesiredState.PAUSED:
        raise WrongState(f"{name}: spec.state is {state}; set it to Paused to {what}")
    if alive := _alive(pods):
        named = ", ".join(sorted(pod["metadata"]["name"] for pod in alive))
        raise WrongState(f"{name}: pod {named} still ends; wait until the job is Paused and its pods have ended")


def desired_state(job: Manifest) -> DesiredState:
    """Return what the user wants of a job."""
    return DesiredState(job["spec"].get("state", DesiredState.RUNNING))


def subject_of(
    job: Manifest, drivers: Sequence[Manifest], config_maps: Sequence[Manifest], resources: Sequence[Manifest]
) -> Subject:
    """Return the job with all that its last driver was told.

    Raises:
        WrongState: it has no state, or its last driver cannot be known any more.
    """
    name, deployed = job["metadata"]["name"], job.get("status", {}).get("deployed", {})
    told_in = [one for one in config_maps if _KEY in one.get("data", {})]
    if not told_in:
        raise WrongState(f"{name}: the job has never run, or nothing is left of its last driver's ConfigMap")
    newest = max(told_in, key=_attempt)
    try:
        told = JobFile.model_validate_json(newest["data"][_KEY])
    except ValidationError as error:
        raise WrongState(
            f"{name}: this command cannot read ConfigMap {newest['metadata']['name']}; use the version that belongs to "
            f"the operator ({error.error_count()} faults)"
        ) from error
    if told.job.epoch < deployed.get("epoch", 0):
        raise WrongState(f"{name}: its state and offsets were dropped; spec.startFrom decides where it begins")
    return Subject(
        uid=job["metadata"]["uid"],
        told=told,
        config_map=newest["metadata"]["name"],
        image=_image(job, deployed, drivers, resources),
        claim=claim_of(name, resources),
        placement={**_placement(drivers), **_beside(name, live_driver(drivers))},
    )


def _image(
    job: Manifest, deployed: Mapping[str, Any], drivers: Sequence[Manifest], resources: Sequence[Manifest]
) -> str:
    if image := deployed.get("image"):
        return str(image)
    if drivers:
        return str(max(drivers, key=_attempt)["spec"]["containers"][0]["image"])
    template = job["spec"]["template"]
    for library in resources[0].get("status", {}).get("libraries", ()) if resources else ():
        if (library["name"], library["version"]) == (template["name"], template["version"]) and library.get("image"):
            return str(library["image"])
    raise WrongState(f"{job['metadata']['name']}: status.deployed.image does not say which image its driver ran")


def _placement(drivers: Sequence[Manifest]) -> dict[str, Any]:
    """Where the last driver might run; nothing where its pod is gone."""
    spec = max(drivers, key=_attempt)["spec"] if drivers else {}
    return {key: spec[key] for key in ("nodeSelector", "tolerations", "imagePullSecrets") if spec.get(key)}


def _beside(job: str, driver: Manifest | None) -> dict[str, Any]:
    """On the node of a driver that lives: only there a volume can be mounted that one node alone may mount."""
    if driver is None or not driver["spec"].get("nodeName"):
        return {}
    term = {
        "labelSelector": {"matchLabels": {kinds.JOB_LABEL: job, kinds.COMPONENT_LABEL: kinds.DRIVER}},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def _attempt(item: Manifest) -> int:
    return int(item["metadata"].get("labels", {}).get(kinds.ATTEMPT_LABEL, 0))
