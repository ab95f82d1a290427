"""An API server in memory: versions, conflicts, generations, server-side apply, owners, watch events; no validation.

Every request can be left hanging before it is carried out, and before it is answered: a turn is a coroutine that the
test drives, so that any number of turns interleave, and any of them may never go on.
"""

from __future__ import annotations

import copy
import json
import operator
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from streamjob_api import kinds
from streamjob_operator.api_server.cluster import ApiError, Cluster, Conflict, NotFound
from streamjob_operator.observed import Manifest
from unit.operator.builders import NOW

Place = tuple[str, str]  # plural, name
STATUS_LIMIT = 16 * 1024
_CUSTOM = (kinds.STREAM_JOBS, kinds.STREAM_RESOURCES)


class Step:
    """Where a coroutine hangs until the test lets it go on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class SimulatedApi:
    """The objects of one namespace."""

    namespace: str = "ou"
    now: datetime = NOW
    objects: dict[Place, Manifest] = field(default_factory=dict)
    watchers: list[Callable[[str, str, Manifest], None]] = field(default_factory=list)
    on_change: Callable[[str, str, Manifest], None] = lambda *_: None
    garbage: list[Place] = field(default_factory=list)
    stillborn: set[str] = field(default_factory=set)  # made when their owner was gone
    version: int = 100
    made: int = 0

    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def all(self, plural: str) -> list[Manifest]:
        return [body for (kind, _), body in self.objects.items() if kind == plural]

    def create(self, plural: str, body: Manifest) -> Manifest:
        place = (plural, body["metadata"]["name"])
        if place in self.objects:
            raise Conflict(409, f"{place} is there already")
        self.made += 1
        body = copy.deepcopy(body)
        body["metadata"] |= {
            "namespace": self.namespace,
            "uid": f"uid-{self.made}",
            "creationTimestamp": self.stamp(),
            **({"generation": 1} if plural in _CUSTOM else {}),
        }
        if plural == "pods":
            body["status"] = {"phase": "Pending"}
        if not owners(body) <= self.uids():
            self.garbage.append(place)
            self.stillborn.add(body["metadata"]["uid"])
        return self._put("ADDED", place, body)

    def uids(self) -> set[str]:
        return {body["metadata"]["uid"] for body in self.objects.values()}

    def change(self, plural: str, body: Manifest) -> Manifest:
        """Write what replaces an object; nothing happens where it is the same."""
        place = (plural, body["metadata"]["name"])
        before = self.objects[place]
        if {**before, "metadata": None} == {**body, "metadata": None} and _meta(before) == _meta(body):
            return before
        if plural in _CUSTOM and before["spec"] != body["spec"]:
            body["metadata"]["generation"] = before["metadata"]["generation"] + 1
        return self._put("MODIFIED", place, body)

    def _put(self, event: str, place: Place, body: Manifest) -> Manifest:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self.objects[place] = body
        self._tell(event, place[0], body)
        return body

    def vanish(self, plural: str, name: str) -> None:
        """The object is gone for good; what it owns is garbage."""
        body = self.objects.pop((plural, name), None)
        if body is None:
            return
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        uid = body["metadata"]["uid"]
        self.garbage += [place for place, other in self.objects.items() if uid in owners(other)]
        self._tell("DELETED", plural, body)

    def _tell(self, event: str, plural: str, body: Manifest) -> None:
        self.on_change(event, plural, body)
        for watcher in self.watchers:
            watcher(event, plural, copy.deepcopy(body))

    def collect_garbage(self) -> None:
        """The garbage collector: what has lost its owner goes, pods as gracefully as always."""
        for plural, name in self.garbage:
            self.delete(plural, name)
        self.garbage.clear()

    def delete(self, plural: str, name: str) -> None:
        """As a DELETE without options: a pod that runs is given time, everything else vanishes."""
        body = self.objects.get((plural, name))
        if body is None:
            return
        runs = plural == "pods" and body["status"]["phase"] not in {"Succeeded", "Failed"}
        if not (runs and body["spec"].get("nodeName")):
            self.vanish(plural, name)
        elif "deletionTimestamp" not in body["metadata"]:
            changed = copy.deepcopy(body)
            changed["metadata"]["deletionTimestamp"] = self.stamp()
            self.change(plural, changed)


class SimulatedCluster(Cluster):
    """The operator's own client, above an API server in memory."""

    def __init__(self, api: SimulatedApi) -> None:
        super().__init__(cast("Any", None))
        self._server = api
        self.failing: list[str] = []  # "before" or "after" the request is carried out, of the next ones
        self.events: list[tuple[datetime, Manifest]] = []

    async def request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        media: str = "",  # noqa: ARG002
        query: Mapping[str, Any] | None = None,
        within_seconds: float = 15.0,  # noqa: ARG002 (as Cluster has it)
    ) -> Manifest:
        fails = self.failing.pop() if self.failing else ""
        await Step()
        if fails == "before":
            raise ApiError(500, "simulated")
        answer = copy.deepcopy(self._carried_out(method, path, json.loads(json.dumps(body)), query or {}))
        await Step()
        if fails == "after":
            raise ApiError(500, "simulated: carried out, but not answered")
        return answer

    def _carried_out(  # noqa: PLR0911 (one for each kind of request)
        self, method: str, path: str, body: Any, query: Mapping[str, Any]
    ) -> Manifest:
        parts = path.split("/namespaces/")[1].split("/")
        plural, name, part = parts[1], *[*parts[2:], "", ""][:2]
        if plural == "events":
            self.events.append((self._server.now, body))
            return {}
        if method == "DELETE":
            return self._deleted_by_uid(plural, name, body)
        match method:
            case "GET" if not name:
                chosen = filter(matches(query.get("labelSelector", "")), self._server.all(plural))
                return {"items": list(chosen), "metadata": {}}
            case "GET":
                return self._found(plural, name)
            case "POST":
                return self._server.create(plural, body)
            case _ if part == "status":
                return self._written_status(plural, name, body)
            case _:
                return self._taken_in(plural, name, body)

    def _found(self, plural: str, name: str) -> Manifest:
        found = self._server.objects.get((plural, name))
        if found is None:
            raise NotFound(404, name)
        return found

    def _written_status(self, plural: str, name: str, body: Manifest) -> Manifest:
        found = self._found(plural, name)
        if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            raise Conflict(409, name)
        status = merged(found.get("status") or {}, body["status"]) if plural == kinds.STREAM_JOBS else body["status"]
        assert len(json.dumps(status)) < STATUS_LIMIT, "a status beyond 16 KiB"
        return self._server.change(plural, {**copy.deepcopy(found), "status": status})

    def _taken_in(self, plural: str, name: str, body: Manifest) -> Manifest:
        found = self._server.objects.get((plural, name))
        if found is None:
            return self._server.create(plural, body)
        uid = body["metadata"].get("uid")
        if uid and uid != found["metadata"]["uid"]:
            raise Conflict(409, name)
        if owners(body) != owners(found):
            raise ApiError(422, f"{name} has another controller")
        result = merged(found, body)
        if found.get("immutable") and result.get("data") != found.get("data"):
            raise ApiError(422, f"{name} is immutable")
        if plural == "pods" and result["spec"] != found["spec"]:
            raise ApiError(422, f"pod {name} cannot be changed")
        return self._server.change(plural, result)

    def _deleted_by_uid(self, plural: str, name: str, body: Manifest | None) -> Manifest:
        found = self._found(plural, name)
        wanted = ((body or {}).get("preconditions") or {}).get("uid")
        if wanted and wanted != found["metadata"]["uid"]:
            raise Conflict(409, name)
        self._server.delete(plural, name)
        return found


def owners(body: Manifest) -> set[str]:
    return {owner["uid"] for owner in body["metadata"].get("ownerReferences", ())}


def _meta(body: Manifest) -> Manifest:
    return {key: value for key, value in body["metadata"].items() if key not in {"resourceVersion", "generation"}}


def merged(before: Manifest, patch: Manifest) -> Manifest:
    """RFC 7386, which is enough of server-side apply for what one manager owns."""
    result = dict(before)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def matches(selector: str) -> Callable[[Manifest], bool]:
    """Equality-based label selectors, and ``key in (a,b)``."""
    wanted = list(_requirements(selector))

    def is_chosen(body: Manifest) -> bool:
        labels = body["metadata"].get("labels", {})
        return all(check(labels.get(key)) for key, check in wanted)

    return is_chosen


def _requirements(selector: str) -> Iterator[tuple[str, Callable[[str | None], bool]]]:
    for part in filter(None, re.split(r",(?![^(]*\))", selector)):
        if " in (" in part:
            key, _, values = part.partition(" in (")
            yield key, partial(_is_one_of, [value.strip() for value in values.rstrip(")").split(",")])
        elif "!=" in part:
            key, _, value = part.partition("!=")
            yield key, partial(operator.ne, value)
        elif "=" in part:
            key, _, value = part.partition("=")
            yield key, partial(operator.eq, value)
        else:
            yield part, partial(operator.is_not, None)


def _is_one_of(values: list[str], found: str | None) -> bool:
    return found in values


def later(api: SimulatedApi, seconds: float) -> None:
    api.now += timedelta(seconds=seconds)
