"""What keeps a driver from starting, from being heard or from ending: from its pod's facts to words. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamjob_operator import reasons
from streamjob_operator.observed import Hindrance, Pod

# Container waiting reasons: https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go
_IMAGE_WAITS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
_CONFIG_WAITS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
# Reasons of the kubelet's and the volume controllers' warnings, whose pod shows nothing but ContainerCreating:
# https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/events/event.go
_VOLUME_WARNINGS = {"FailedMount", "FailedAttachVolume", "FailedMapVolume"}
_SANDBOX_WARNINGS = {"FailedCreatePodSandBox", "NetworkNotReady"}
_MISSING = re.compile(r'\b(secret|configmap) "([^"]+)" not found')
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
# The kubelet tries a mount again after 122 s at the latest; what it has not said for longer is over.
_STILL_SAID = timedelta(seconds=150)
# The kubelet kills at the end of the grace period, and needs a moment to say so.
_OVERDUE_AFTER = timedelta(seconds=15)
_MAX_MESSAGE = 1024


@dataclass(frozen=True)
class Warned:
    """A warning that was recorded of a pod."""

    reason: str
    message: str
    at: datetime


def obstacle(pod: Pod) -> tuple[str, str] | None:
    """What keeps a living driver from starting or from being heard: reason and message, or None."""
    if pod.node_is_silent:
        return reasons.NODE_LOST, unheard(pod)
    container = pod.container
    if container.state == "waiting" and container.reason in _IMAGE_WAITS:
        return reasons.IMAGE_PULL_FAILED, _told(pod, "correct spec.image or the operator's catalogue")
    if container.state == "waiting" and container.reason in _CONFIG_WAITS:
        return reasons.CONTAINER_CONFIG, _told(pod, "correct what it names; the kubelet tries again by itself")
    if not pod.scheduled:
        return reasons.UNSCHEDULABLE, f"pod {pod.name}: {pod.scheduling}"[:_MAX_MESSAGE]
    if pod.is_being_created and pod.hindrance:
        return pod.hindrance.reason, pod.hindrance.message
    return None


def unheard(pod: Pod) -> str:
    """What is said of a pod whose node does not answer. Only its user can say that the node will not come back."""
    return (
        f"node {pod.node} of pod {pod.name} does not answer; the next driver starts when Kubernetes knows that this "
        f"one is gone: bring the node back, or, if it is off for good, 'kubectl delete node {pod.node}'"
    )


def hindrance(pod: Pod, warnings: Sequence[Warned]) -> Hindrance | None:
    """What the warnings of a pod that is being created say; None when they say nothing that holds it up."""
    if not warnings:
        return None
    latest = max(warned.at for warned in warnings)
    said = [warned for warned in warnings if latest - warned.at < _STILL_SAID]
    missing = sorted({found.groups() for warned in said for found in _MISSING.finditer(warned.message)})
    if missing:
        named = ", ".join(f"{_KINDS[kind]} {name}" for kind, name in missing)
        remedy = f"create {'it' if len(missing) == 1 else 'them'} in namespace {pod.namespace}, the pod then goes on"
        return Hindrance(reasons.CONTAINER_CONFIG, f"pod {pod.name}: {named} not found; {remedy}"[:_MAX_MESSAGE])
    for known, reason in (
        (_VOLUME_WARNINGS, reasons.VOLUME_UNAVAILABLE),
        (_SANDBOX_WARNINGS, reasons.CONTAINER_CONFIG),
    ):
        words = [warned for warned in said if warned.reason in known]
        if words:
            last = max(words, key=lambda warned: warned.at)
            return Hindrance(reason, f"pod {pod.name}: {last.message}"[:_MAX_MESSAGE])
    return None


def overdue(pod: Pod, now: datetime) -> bool:
    """Whether a pod that was asked to end should have been gone for a while: its node does not carry it out."""
    return pod.ends_by is not None and now >= pod.ends_by + _OVERDUE_AFTER


def seconds_until_overdue(pod: Pod, now: datetime) -> float | None:
    """When to look again at a pod that is on its way out; None when it is overdue already."""
    if pod.ends_by is None or overdue(pod, now):
        return None
    return (pod.ends_by + _OVERDUE_AFTER - now).total_seconds()


def _told(pod: Pod, remedy: str) -> str:
    said = (pod.container.message or pod.container.reason)[: _MAX_MESSAGE - 256]
    return f"pod {pod.name}: {said}; {remedy}"
