"""A container registry on the loopback interface: only layers that changed are pushed and pulled."""

from __future__ import annotations

import http.client
import json
from typing import Any

from localcluster import go_tools
from localcluster.problems import ClusterError
from localcluster.processes import Component, ProcessTable
from localcluster.progress import Progress
from localcluster.state import State
from localcluster.waiting import wait_until

HOST, PORT = "127.0.0.1", 5001
ADDRESS = f"localhost:{PORT}"
"""How image names begin, in pods and for whoever pushes."""


def configuration(state: State) -> dict[str, Any]:
    """The registry's configuration file: plain HTTP, no access log, images may be deleted."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(state.registry)}, "delete": {"enabled": True}},
        "http": {"addr": f"{HOST}:{PORT}"},
    }


def component(state: State) -> Component:
    """The registry's process; its tracing would look for a collector on every request."""
    config = state.images / "registry.json"
    return Component("registry", (str(state.bin / "registry"), "serve", str(config)), {"OTEL_TRACES_EXPORTER": "none"})


def start(state: State, processes: ProcessTable, progress: Progress) -> bool:
    """Build and start the registry unless it runs; true when it was started."""
    go_tools.build(go_tools.REGISTRY, state, progress)
    if processes.running("registry"):
        return False
    state.images.mkdir(parents=True, exist_ok=True)
    # JSON is YAML too
    (state.images / "registry.json").write_text(json.dumps(configuration(state), indent=2))
    with progress.step(f"Start the image registry at {HOST}:{PORT}"):
        processes.ensure(component(state))
        wait_until(lambda: _alive(processes), "the image registry answers", within_seconds=120)
    return True


def _alive(processes: ProcessTable) -> bool:
    if not processes.running("registry"):
        raise ClusterError(f"the image registry ended at once:\n{processes.last_words('registry')}")
    return answers()


def answers() -> bool:
    try:
        return request("GET", "/v2/").status == http.client.OK
    except OSError:
        return False


class Answer:
    """A response that was read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.body = response.read()
        self.status = response.status
        self.headers = response.headers


def request(method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Answer:
    """One request to the registry."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": content_type} if body is not None else {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def holds(name: str, tag: str) -> bool:
    """Whether an image is there: ``holds("streamjob/runtime", "1a2b")``."""
    accepted = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    connection = http.client.HTTPConnection(HOST, PORT, timeout=30)
    try:
        connection.request("HEAD", f"/v2/{name}/manifests/{tag}", headers={"Accept": accepted})
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()
