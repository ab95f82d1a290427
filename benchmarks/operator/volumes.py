"""Volumes for the claims of fake pods: made when the scheduler has chosen a node, as a storage driver would."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp

from benchmarks.operator.access import Access, Manifest

STORAGE_CLASS = "streamjob-bench"
_PROVISIONER = "streamjob.dev/bench"
# Set by the scheduler; https://kubernetes.io/docs/reference/labels-annotations-taints/
_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_MARK = {"streamjob.dev/bench": "fake"}
_SELECTOR = "streamjob.dev%2Fbench%3Dfake"
_NAMED = ("namespace", "name", "uid")
_CLAIMS, _VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"


def storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS},
        "provisioner": _PROVISIONER,
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(claim: Manifest) -> Manifest:
    """The volume of a claim, by the claim's metadata."""
    of = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | {key: claim[key] for key in _NAMED}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": f"streamjob-bench-{claim['uid']}",
            "labels": _MARK,
            "annotations": {"pv.kubernetes.io/provisioned-by": _PROVISIONER},
        },
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "storageClassName": STORAGE_CLASS,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": "/nonexistent"},
            "claimRef": of,
        },
    }


async def provide(access: Access, prefix: str) -> None:
    """Make a volume for each claim of these namespaces that waits for one, for ever."""
    version = (await access.request("GET", f"{_CLAIMS}?limit=1"))["metadata"]["resourceVersion"]
    made: set[str] = set()
    async with asyncio.TaskGroup() as group:
        while True:
            with suppress(aiohttp.ClientError):
                async for event in access.watch(_CLAIMS, "", version):
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch of claims failed: {event['object']}")
                    meta = event["object"]["metadata"]
                    version = meta["resourceVersion"]
                    chosen = _SELECTED_NODE in meta.get("annotations", {})
                    if chosen and meta["namespace"].startswith(prefix) and meta["uid"] not in made:
                        made.add(meta["uid"])
                        group.create_task(access.request("POST", _VOLUMES, volume(meta)))


async def remove(access: Access) -> None:
    """Delete the volumes, which outlive their claims."""
    await access.request("DELETE", f"{_VOLUMES}?labelSelector={_SELECTOR}", {"gracePeriodSeconds": 0})
    listed = await access.request("GET", f"{_VOLUMES}?labelSelector={_SELECTOR}")
    # the finalizer that protects a volume of a claim: the claims went with their namespaces
    for left in listed.get("items", ()):
        await access.request(
            "PATCH",
            f"{_VOLUMES}/{left['metadata']['name']}",
            {"metadata": {"finalizers": None}},
            "application/merge-patch+json",
        )
