"""The cluster as a user may see and use it: jobs, ConfigMaps, and short pods that answer on their log."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from streamjob_api import kinds

Manifest = dict[str, Any]
_GROUP = {"group": kinds.GROUP, "version": kinds.VERSION}
_NOT_FOUND, _BAD_REQUEST = 404, 400
_START_SECONDS = 180.0
_PAUSE_SECONDS = 0.3
_REQUEST_SECONDS = 20
_ENDED = {"Succeeded", "Failed"}
_LEFT_BEHIND = timedelta(minutes=1)


class Unreachable(Exception):  # noqa: N818 (what it is)
    """The cluster does not give what is needed; in words for the user."""


@dataclass(frozen=True)
class ClusterAccess:
    """One namespace, with the rights of whoever runs the command."""

    namespace: str
    core: Any
    custom: Any

    @classmethod
    def of(cls, namespace: str | None, context: str | None) -> Self:
        """Connect as kubectl does: KUBECONFIG, its present context and that one's namespace.

        Raises:
            Unreachable: there is no client library, or no cluster is configured.
        """
        try:
            from kubernetes import client, config  # noqa: PLC0415 (all other commands need no cluster)
        except ImportError:
            raise Unreachable(
                "the Kubernetes client is not installed; install streamjob with its extra 'cluster'"
            ) from None
        try:
            contexts, active = config.list_kube_config_contexts()  # type: ignore[no-untyped-call]
            named = {entry["name"]: entry for entry in contexts}
            chosen = named[context] if context else active
            api = config.new_client_from_config(context=context)  # type: ignore[no-untyped-call]
        except config.ConfigException as error:
            raise Unreachable(f"no cluster is configured ({error}); set KUBECONFIG as for kubectl") from error
        except KeyError:
            raise Unreachable(f"--context {context}: KUBECONFIG has {', '.join(sorted(named))}") from None
        own = namespace or (chosen or {}).get("context", {}).get("namespace", "default")
        return cls(own, client.CoreV1Api(api), client.CustomObjectsApi(api))

    def job(self, name: str) -> Manifest:
        """Return a StreamJob.

        Raises:
            Unreachable: it is not there, or must not be read.
        """
        with _told(f"StreamJob {self.namespace}/{name}"):
            found: Manifest = self.custom.get_namespaced_custom_object(
                **_GROUP, namespace=self.namespace, plural=kinds.STREAM_JOBS, name=name
            )
        return found

    def resources(self) -> list[Manifest]:
        """Return the StreamResources, the one in force first."""
        with _told(f"StreamResources of {self.namespace}"):
            found = self.custom.list_namespaced_custom_object(
                **_GROUP, namespace=self.namespace, plural=kinds.STREAM_RESOURCES
            )
        items: list[Manifest] = found["items"]
        return sorted(items, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))

    def drivers(self, job: str) -> list[Manifest]:
        """Return the driver pods of a job."""
        return self._pods(job, kinds.DRIVER)

    def drivers_and_executors(self, job: str) -> list[Manifest]:
        """Return the pods of a job that may be at work on its checkpoint."""
        return self._pods(job, kinds.DRIVER, kinds.EXECUTOR)

    def _pods(self, job: str, *components: str) -> list[Manifest]:
        selector = f"{kinds.JOB_LABEL}={job},{kinds.COMPONENT_LABEL} in ({','.join(components)})"
        with _told(f"pods of {self.namespace}"):
            return self._plain(self.core.list_namespaced_pod(self.namespace, label_selector=selector).items)

    def config_maps(self, job: str) -> list[Manifest]:
        """Return the ConfigMaps of a job."""
        with _told(f"ConfigMaps of {self.namespace}"):
            selector = f"{kinds.JOB_LABEL}={job}"
            return self._plain(self.core.list_namespaced_config_map(self.namespace, label_selector=selector).items)

    def ask_driver(self, pod: str, port: int, path: str) -> str | None:
        """Ask a driver through the API server; None where it has no such answer.

        Raises:
            Unreachable: it does not answer, or must not be asked.
        """
        with _told(f"driver {pod} (right: get pods/proxy)", missing=None) as answer:
            # Its own method would read the answer as a string of Python's.
            response = self.core.connect_get_namespaced_pod_proxy_with_path(
                f"{pod}:{port}", self.namespace, path, _preload_content=False, _request_timeout=_REQUEST_SECONDS
            )
            answer.append(response.data.decode())
        return answer[0] if answer else None

    def _remove_ended(self, manifest: Manifest) -> None:
        """Remove pods like this one that a command left behind, because it was killed itself.

        One that has just ended is left alone: another command may be reading its log.
        """
        selector = ",".join(f"{name}={value}" for name, value in sorted(manifest["metadata"]["labels"].items()))
        with _told(f"pods of {self.namespace}", missing=None):
            for pod in self._plain(self.core.list_namespaced_pod(self.namespace, label_selector=selector).items):
                if ended_before(pod, datetime.now(UTC) - _LEFT_BEHIND):
                    self.core.delete_namespaced_pod(pod["metadata"]["name"], self.namespace)

    @contextlib.contextmanager
    def short_pod(self, manifest: Manifest) -> Iterator[str]:
        """Make a pod, and remove it whatever happens."""
        self._remove_ended(manifest)
        with _told(f"pods of {self.namespace} (right: create pods)"):
            name: str = self.core.create_namespaced_pod(self.namespace, manifest).metadata.name
        try:
            yield name
        finally:
            with _told(f"pod {name}: it is left behind", missing=None):
                self.core.delete_namespaced_pod(name, self.namespace, grace_period_seconds=0)

    def await_start(self, pod: str) -> Iterator[str]:
        """Wait until a pod's container runs or has ended; yields why it does not yet, as that changes.

        Raises:
            Unreachable: it does not start in time.
        """
        deadline, told = time.monotonic() + _START_SECONDS, ""
        while True:
            with _told(f"pod {pod}"):
                found = self._plain([self.core.read_namespaced_pod(pod, self.namespace)])[0]
            status = found.get("status", {})
            if status.get("phase") in {*_ENDED, "Running"}:
                return
            if (why := obstacle(status)) != told:
                told = why
                yield why
            if time.monotonic() > deadline:
                raise Unreachable(f"pod {pod} did not start within {_START_SECONDS:.0f} s: {told or 'no reason given'}")
            time.sleep(_PAUSE_SECONDS)

    def log_lines(self, pod: str) -> Iterator[str]:
        """Yield what a pod writes, to its end."""
        with _told(f"log of pod {pod} (right: get pods/log)"):
            response = self.core.read_namespaced_pod_log(pod, self.namespace, follow=True, _preload_content=False)
            held = b""
            for chunk in response.stream(65_536):
                *lines, held = (held + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
            if held:
                yield held.decode(errors="replace")

    def _plain(self, items: list[Any]) -> list[Manifest]:
        plain: list[Manifest] = self.core.api_client.sanitize_for_serialization(items)
        return plain


def ended_before(pod: Manifest, moment: datetime) -> bool:
    """Whether a pod ended before a moment; one whose containers never ran, when it was made."""
    status = pod.get("status", {})
    if status.get("phase") not in _ENDED:
        return False
    states = [container.get("state", {}) for container in status.get("containerStatuses", ())]
    ends = [state["terminated"]["finishedAt"] for state in states if state.get("terminated", {}).get("finishedAt")]
    return max(map(datetime.fromisoformat, ends or [pod["metadata"]["creationTimestamp"]])) < moment


def obstacle(status: Mapping[str, Any]) -> str:
    """Why a pod does not run yet, in Kubernetes' words."""
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason"):
            return f"{waiting['reason']} {waiting.get('message', '')}".strip()
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return f"{condition.get('reason', '')} {condition.get('message', '')}".strip()
    return ""


@contextlib.contextmanager
def _told(what: str, **missing: None) -> Iterator[list[str]]:
    """Say what could not be had, and why; with ``missing`` it is no fault that it is not there."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 (all other commands need no cluster)
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield []
    except ApiException as error:
        if error.status == _NOT_FOUND and missing:
            return
        raise Unreachable(f"{what}: {error.status} {error.reason or ''}{_message(error)}".rstrip()) from error
    except (HTTPError, OSError) as error:
        raise Unreachable(f"{what}: the API server does not answer ({type(error).__name__})") from error


def _message(error: Any) -> str:
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        return f": {json.loads(error.body)['message']}"
    return ""
