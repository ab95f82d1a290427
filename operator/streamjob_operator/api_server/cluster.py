"""The API server: what is read of it and written to it."""

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp

from streamjob_api import kinds
from streamjob_operator.api_server.connection import Connection
from streamjob_operator.observed import JobKey, Manifest, OuKey, Pod, Resource

FIELD_MANAGER = "streamjob-operator"
_JSON = "application/json"
# https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_REQUEST_TIMEOUT_SECONDS = 15.0
_LIST_TIMEOUT_SECONDS = 60.0
_PAGE = 200
_TOO_MANY, _UNAVAILABLE = 429, 503
_TRIES = 5
# How often a listing is begun anew whose pages came too slowly.
_LISTINGS = 3
# 403: a quota is asked before it is known whether the object is there.
_PERHAPS_THERE = {403, 409}
# Where each kind lives; the kinds are fixed, so no discovery is needed.
_PATHS = {
    kinds.STREAM_JOB: f"apis/{kinds.API_VERSION}/namespaces/{{namespace}}/{kinds.STREAM_JOBS}",
    kinds.STREAM_RESOURCE: f"apis/{kinds.API_VERSION}/namespaces/{{namespace}}/{kinds.STREAM_RESOURCES}",
    "Pod": "api/v1/namespaces/{namespace}/pods",
    "ConfigMap": "api/v1/namespaces/{namespace}/configmaps",
    "PersistentVolumeClaim": "api/v1/namespaces/{namespace}/persistentvolumeclaims",
    "ControllerRevision": "apis/apps/v1/namespaces/{namespace}/controllerrevisions",
    "Lease": "apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
    "Event": "apis/events.k8s.io/v1/namespaces/{namespace}/events",
}

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class NotFound(ApiError):  # noqa: N818 (named as Kubernetes names it)
    """404: it is not there."""


class NotLeading(Exception):  # noqa: N818 (named for what is the case)
    """Another replica may act by now, so this one must not write."""


class Expired(ApiError):  # noqa: N818 (named as Kubernetes names it)
    """410: the version that was asked for is no longer kept."""


class Conflict(ApiError):  # noqa: N818 (named as Kubernetes names it)
    """409: it changed since it was read, or is there already."""


class Cluster:
    """Reads and writes, as JSON. It holds the connection; it decides nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Asked before each write: a process that slept must not go on where it was.
        self.may_write: Callable[[], bool] = lambda: True
        self.sent: Counter[str] = Counter()  # by method and what was asked for
        self.answers: Counter[tuple[str, str]] = Counter()  # by method and status
        self.answered = 0.0  # when the API server answered last

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def read(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """A live GET; None when it is not there."""
        try:
            return await self.request("GET", f"{_path(kind, namespace)}/{name}")
        except NotFound:
            return None

    async def version(self, kind: str, namespace: str, name: str) -> str | None:
        """The resourceVersion of an object, live and without its content; None when it is not there."""
        try:
            found = await self.request("GET", f"{_path(kind, namespace)}/{name}", media=_METADATA_ONLY)
        except NotFound:
            return None
        return str(found["metadata"]["resourceVersion"])

    async def job(self, key: JobKey) -> Manifest | None:
        """A job, live."""
        return await self.read(kinds.STREAM_JOB, *key)

    async def pods_of(self, key: JobKey) -> list[Manifest]:
        """Drivers and executors that carry the label of a job of this name, live."""
        return await self.listed("Pod", key.namespace, f"{kinds.JOB_LABEL}={key.name},{kinds.PODS_SELECTOR}")

    async def pods_of_jobs(self, keys: Sequence[JobKey]) -> dict[JobKey, list[Manifest]]:
        """The same of several jobs of one namespace."""
        named = ",".join(key.name for key in keys)
        found: dict[JobKey, list[Manifest]] = {key: [] for key in keys}
        for pod in await self.listed("Pod", keys[0].namespace, f"{kinds.JOB_LABEL} in ({named}),{kinds.PODS_SELECTOR}"):
            found[JobKey(keys[0].namespace, pod["metadata"]["labels"][kinds.JOB_LABEL])].append(pod)
        return found

    async def warnings_of(self, pod: Pod) -> list[Manifest]:
        """The warnings recorded of one pod, live: as many as one page has."""
        query = {"fieldSelector": f"regarding.uid={pod.uid},type=Warning", "limit": _PAGE}
        page = await self.request("GET", _path("Event", pod.namespace), query=query)
        items: list[Manifest] = page["items"]
        return items

    async def resources_of(self, key: OuKey) -> list[Manifest]:
        """The StreamResources of a namespace, live."""
        return await self.listed(kinds.STREAM_RESOURCE, key.namespace)

    async def listed(self, kind: str, namespace: str | None, selector: str = "") -> list[Manifest]:
        """A live LIST of a namespace, or of the whole cluster; items without kind, as the API server sends them."""
        items: list[Manifest] = []
        async for is_first, page in self.pages(kind, namespace, selector):
            items = page if is_first else items + page
        return items

    async def pages(
        self, kind: str, namespace: str | None, selector: str = ""
    ) -> AsyncIterator[tuple[bool, list[Manifest]]]:
        """The same page by page, so that no more than one need be held; whether the listing begins with it.

        A listing whose version is no longer kept begins anew, and what was shown is shown again.
        """
        path, is_first, begun = _path(kind, namespace), True, 0
        query: dict[str, Any] = {"limit": _PAGE, "labelSelector": selector}
        while is_first or query.get("continue"):
            try:
                page = await self.request("GET", path, query=query, within_seconds=_LIST_TIMEOUT_SECONDS)
            except Expired:
                if (begun := begun + 1) > _LISTINGS:
                    raise
                logger.info("listing of %s begins anew: its version is too old", path)
                is_first, query["continue"] = True, None
                continue
            yield is_first, page["items"]
            is_first, query["continue"] = False, page["metadata"].get("continue")

    async def write_job_status(self, key: JobKey, resource_version: str, status: Mapping[str, Any]) -> Manifest:
        """Merge-patch a job's status, if the job is still at this version.

        Raises:
            Conflict: the job changed since it was read.
        """
        body = {"metadata": {"resourceVersion": resource_version}, "status": status}
        path = f"{_path(kinds.STREAM_JOB, key.namespace)}/{key.name}/status"
        return await self.request("PATCH", path, body, _MERGE, {"fieldManager": FIELD_MANAGER})

    async def put_resource_status(self, resource: Resource, status: Mapping[str, Any]) -> Manifest:
        """Compare and swap a StreamResource's status, at the version that this extract is of.

        Raises:
            Conflict: it changed since then.
        """
        meta = {
            "namespace": resource.namespace,
            "name": resource.name,
            "uid": resource.uid,
            "resourceVersion": resource.resource_version,
        }
        body = {"apiVersion": kinds.API_VERSION, "kind": kinds.STREAM_RESOURCE, "metadata": meta, "status": status}
        path = f"{_path(kinds.STREAM_RESOURCE, resource.namespace)}/{resource.name}/status"
        return await self.request("PUT", path, body, query={"fieldManager": FIELD_MANAGER})

    async def apply(self, manifests: Iterable[Manifest]) -> list[Manifest]:
        """Make one after the other, so that a pod finds all that it mounts; what is there already is taken over."""
        return [await self._applied(manifest) for manifest in manifests]

    async def _applied(self, manifest: Manifest) -> Manifest:
        kind, meta = manifest["kind"], manifest["metadata"]
        try:  # a third of the API server's work for a server-side apply, and almost always all there is to do
            return await self.create(kind, meta["namespace"], manifest)
        except ApiError as refused:
            if refused.status not in _PERHAPS_THERE:
                raise
        path = f"{_path(kind, meta['namespace'])}/{meta['name']}"
        try:
            return await self.request("PATCH", path, manifest, _APPLY, {"fieldManager": FIELD_MANAGER, "force": "true"})
        except ApiError as refused:
            if kind != "PersistentVolumeClaim" or refused.status not in {403, 422}:
                raise
            return await self._claim_as_it_is(manifest, refused)

    async def _claim_as_it_is(self, manifest: Manifest, refused: ApiError) -> Manifest:
        """A claim's size and class cannot be changed at will; the job goes on with the claim that it has."""
        meta = manifest["metadata"]
        claim = await self.read("PersistentVolumeClaim", meta["namespace"], meta["name"])
        wanted = {owner["uid"] for owner in meta["ownerReferences"]}
        if claim is None or wanted.isdisjoint(owner["uid"] for owner in claim["metadata"].get("ownerReferences", ())):
            raise refused
        logger.warning("volume claim %s/%s stays as it is: %s", meta["namespace"], meta["name"], refused)
        return claim

    async def delete_pod(self, pod: Pod) -> None:
        """Ask a pod to end, gracefully; only the one with this UID. It is no fault if it is gone."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod.uid}}
        await self._deleted("Pod", pod.namespace, pod.name, body)

    async def prune(self, key: JobKey, job_uid: str, attempt: int) -> None:
        """Delete the job's ConfigMaps of other attempts; never volumes."""
        selector = f"{kinds.JOB_LABEL}={key.name},{kinds.ATTEMPT_LABEL}!={attempt}"
        for body in await self.listed("ConfigMap", key.namespace, selector):
            meta = body["metadata"]
            if job_uid in {owner["uid"] for owner in meta.get("ownerReferences", ())}:
                await self._deleted("ConfigMap", key.namespace, meta["name"], {})

    async def revisions_of(self, key: JobKey) -> list[Manifest]:
        """ControllerRevisions that carry the label of a job of this name, live."""
        return await self.listed("ControllerRevision", key.namespace, f"{kinds.JOB_LABEL}={key.name}")

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object; it is no fault if it is gone."""
        await self._deleted(kind, namespace, name, {})

    async def _deleted(self, kind: str, namespace: str, name: str, body: Manifest) -> None:
        with contextlib.suppress(NotFound, Conflict):  # gone, or another one of this name
            await self.request("DELETE", f"{_path(kind, namespace)}/{name}", body)

    async def record(self, namespace: str, event: Manifest) -> None:
        """Record an Event; it never fails a turn, since nothing depends on it."""
        try:
            await self.create("Event", namespace, event)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            logger.info("event not recorded: %s", error)

    async def create(self, kind: str, namespace: str, body: Manifest) -> Manifest:
        """POST an object."""
        return await self.request("POST", _path(kind, namespace), body, query={"fieldManager": FIELD_MANAGER})

    async def replace(self, kind: str, namespace: str, name: str, body: Manifest) -> Manifest:
        """PUT an object at the version it was read at."""
        return await self.request("PUT", f"{_path(kind, namespace)}/{name}", body)

    async def request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        media: str = _JSON,
        query: Mapping[str, Any] | None = None,
        within_seconds: float = _REQUEST_TIMEOUT_SECONDS,
    ) -> Manifest:
        """One request; what the API server asks to be waited out (429, 503) is waited out.

        Args:
            media: type of the body that is sent; of a GET, of the answer that is wanted.

        Raises:
            ApiError: what the API server refused.
            NotLeading: the lease is another replica's by now.
        """
        given = urlencode({name: value for name, value in (query or {}).items() if value})
        url = f"{self._connection.host}/{path}" + (f"?{given}" if given else "")
        sent, wanted = (_JSON, media) if method == "GET" else (media, _JSON)
        given_headers = {"Content-Type": sent, "Accept": wanted}
        for attempt in range(1, _TRIES + 1):
            if method != "GET" and "/leases" not in path and not self.may_write():
                raise NotLeading(f"{method} {path}")
            self.sent[f"{method} {_resource(path)}"] += 1
            status, headers, text = await self._connection.exchange(method, url, body, given_headers, within_seconds)
            self.answers[method, str(status)] += 1
            self.answered = time.monotonic()
            if status not in {_TOO_MANY, _UNAVAILABLE} or attempt == _TRIES:
                break
            await asyncio.sleep(_retry_after(headers, attempt))
        return _result(status, text)


def _path(kind: str, namespace: str | None) -> str:
    path = _PATHS[kind]
    return path.format(namespace=namespace) if namespace else path.replace("namespaces/{namespace}/", "")


def _resource(path: str) -> str:
    """What a path is about: ``pods``, ``streamjobs/status``."""
    _, _, within = path.partition("/namespaces/")
    parts = within.split("/")[1:] or path.split("/")[-1:]
    return f"{parts[0]}/{parts[2]}" if len(parts) > 2 else parts[0]


def _retry_after(headers: Mapping[str, str], attempt: int) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked), 30.0) if asked.isdecimal() else 0.5 * attempt


def _result(status: int, text: bytes) -> Manifest:
    parsed: Manifest = json.loads(text) if text.startswith(b"{") else {}
    if status < 400:
        return parsed
    message = str(parsed.get("message") or text[:200].decode(errors="replace"))
    raise {404: NotFound, 409: Conflict, 410: Expired}.get(status, ApiError)(status, message)
