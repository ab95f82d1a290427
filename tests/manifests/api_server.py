"""The API server's own word on a manifest: a strict dry run over one connection."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import config

from streamjob_api import kinds

PLURALS = {kinds.STREAM_JOB: kinds.STREAM_JOBS, kinds.STREAM_RESOURCE: kinds.STREAM_RESOURCES}


@dataclass(frozen=True)
class Answer:
    """What the server said.

    Args:
        object: the object as it would be stored; a Status where it was refused.
    """

    status: int
    object: dict[str, Any]

    @property
    def is_yes(self) -> bool:
        return self.status < 300

    @property
    def message(self) -> str:
        return "" if self.is_yes else str(self.object.get("message", ""))


class ApiServer:
    """A session with the API server of a kubeconfig, in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._client = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
        self._namespace = namespace

    def dry_create(self, manifest: Mapping[str, Any], *, validation: str = "Strict") -> Answer:
        """Create the object without storing it; unknown fields are refused, as with ``kubectl``."""
        metadata = manifest["metadata"] | {"namespace": self._namespace}
        path = f"/apis/{kinds.API_VERSION}/namespaces/{self._namespace}/{PLURALS[manifest['kind']]}"
        return self.post(f"{path}?dryRun=All&fieldValidation={validation}", dict(manifest) | {"metadata": metadata})

    def get(self, path: str) -> Answer:
        """Read an object or a list of them."""
        return self._send("GET", path, None, {})

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Send an object as JSON."""
        return self._send("POST", path, body, {"Content-Type": "application/json"})

    def merge(self, path: str, patch: Mapping[str, Any]) -> Answer:
        """Merge-patch an object, without the half second that kubectl takes to begin."""
        return self._send("PATCH", path, patch, {"Content-Type": "application/merge-patch+json"})

    def patch_status(self, kind: str, name: str, patch: Mapping[str, Any], *, who: str) -> Answer:
        """Patch the status of an object as somebody else."""
        path = f"/apis/{kinds.API_VERSION}/namespaces/{self._namespace}/{PLURALS[kind]}/{name}/status"
        headers = {"Content-Type": "application/merge-patch+json", "Impersonate-User": who}
        return self._send("PATCH", path, patch, headers)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Answer:
        url = f"{self._client.configuration.host}{path}"
        every = {"Accept": "application/json"} | dict(headers)
        sent = None if body is None else as_json(body)
        response = self._client.rest_client.pool_manager.request(method, url, body=sent, headers=every)
        return Answer(response.status, json.loads(response.data))


def as_json(manifest: Mapping[str, Any]) -> bytes:
    """JSON as a careless client writes it: an infinite number as one that is too large, NaN as itself."""
    return json.dumps(manifest).replace("Infinity", "1e400").encode()
