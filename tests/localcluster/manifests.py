"""What the cluster holds from the start: its StorageClass, and the pod that shows that it works."""

from __future__ import annotations

import json
from typing import Any

from localcluster import images
from localcluster.configuration import DOMAIN

STORAGE_NAMESPACE = "local-path-storage"
SMOKE_TEST = "localcluster-smoke-test"


def storage() -> list[dict[str, Any]]:
    """The default StorageClass ``standard`` and what its provisioner reads."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STORAGE_NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "local-path-provisioner-service-account", "namespace": STORAGE_NAMESPACE},
        },
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "local-path-config", "namespace": STORAGE_NAMESPACE},
            "data": {
                "setup": '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',
                "teardown": '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
                "helperPod.yaml": json.dumps(_helper_pod()),
            },
        },
    ]


def _helper_pod() -> dict[str, Any]:
    """The pod that makes or removes a volume's folder; the provisioner adds command, node and volumes."""
    container = {"name": "helper-pod", "image": images.BUSYBOX, "imagePullPolicy": "IfNotPresent"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {"priorityClassName": "system-node-critical", "containers": [container]},
    }


def smoke_test() -> list[dict[str, Any]]:
    """A pod that resolves a Service's name, reaches the Service and writes to a claimed volume.

    It tries for a minute: CoreDNS and kube-proxy have only just been started.
    """
    name = f"kubernetes.default.svc.{DOMAIN}"
    script = (
        f"nslookup {name} && echo | nc -w 5 {name} 443 > /dev/null && echo written > /volume/file && cat /volume/file"
    )
    container = {
        "name": "smoke",
        "image": images.BUSYBOX,
        "command": ["/bin/sh", "-ec", f"for n in $(seq 60); do if {script}; then exit 0; fi; sleep 1; done; exit 1"],
        "volumeMounts": [{"name": "volume", "mountPath": "/volume"}],
    }
    metadata = {"name": SMOKE_TEST, "namespace": SMOKE_TEST}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SMOKE_TEST}},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {
                "restartPolicy": "Never",
                "containers": [container],
                "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": SMOKE_TEST}}],
            },
        },
    ]


def as_list(objects: list[dict[str, Any]]) -> str:
    """What ``kubectl apply -f -`` reads."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
