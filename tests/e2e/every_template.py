"""A run of one job of every template, side by side in one OU, until each has given what it has to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from redis import Redis

from demo.stage import Stage, create_topic
from e2e import expected, records
from e2e.records import Result
from fixtures.eventually import eventually

ORG_ID = "oE2EAll"
MANIFESTS = Path(__file__).with_name("templates.yaml")
PARTITIONS = 2
# Eight drivers on two cores, three at a time, each 15 s of CPU to start; a busy machine takes several times as long.
PATIENCE_SECONDS = 900.0

Status = dict[str, Any]


@dataclass
class Seen:
    """What was seen of the OU at one moment."""

    online: list[Result]
    offline: list[Result]
    statuses: Mapping[str, Status]
    devices: Mapping[str, Mapping[str, str]]
    site: Mapping[str, str]


@dataclass
class Outcome:
    """What was left when the last job had given its results.

    Attributes:
        statuses: of each job, at the moment when it had.
        most_admitted: CU that were held at once, at most.
    """

    online: list[Result] = field(default_factory=list)
    offline: list[Result] = field(default_factory=list)
    statuses: dict[str, Status] = field(default_factory=dict)
    latest: dict[str, dict[tuple[str, int], Any]] = field(default_factory=dict)
    devices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    site: Mapping[str, str] = field(default_factory=dict)
    most_admitted: float = 0


def run(stage: Stage) -> Outcome:
    """Send the records, apply all jobs at once, and delete each when it has done its work: the next one starts."""
    _remove_former(stage)
    with stage.kafka() as bootstrap, stage.redis() as port, Redis(port=port) as redis:
        outcome = _sent(bootstrap, redis)
        stage.cluster.kubectl("-n", stage.namespace, "apply", "-f", str(MANIFESTS))
        left = set(_names())

        def advance() -> Seen:
            seen = _look(stage, bootstrap, redis)
            _note(outcome, left, seen, stage)
            return seen

        eventually(advance, until=lambda _: not left, within_seconds=PATIENCE_SECONDS, every_seconds=2)
        _take(outcome, _look(stage, bootstrap, redis), redis)
    return outcome


def _note(outcome: Outcome, left: set[str], seen: Seen, stage: Stage) -> None:
    """Delete the jobs that have done their work, and keep their status."""
    outcome.most_admitted = max(outcome.most_admitted, sum(map(_admitted, seen.statuses.values())))
    done = {name for name in left if _is_done(name, seen)}
    if "difference" in left - done:
        done -= {"extremes"}  # its reader is still at work
    for name in done:
        outcome.statuses[name] = seen.statuses[name]
        stage.cluster.kubectl("-n", stage.namespace, "delete", "streamjob", name, "--wait=false")
    left -= done


def _names() -> list[str]:
    documents = yaml.safe_load_all(MANIFESTS.read_text())
    return [each["metadata"]["name"] for each in documents if each["kind"] == "StreamJob"]


def _remove_former(stage: Stage) -> None:
    """The OU's former StreamResource goes, once no job holds its capacity."""
    kubectl, of_ou = stage.cluster.kubectl, ("-n", stage.namespace)
    kubectl(*of_ou, "delete", "streamjobs", "--all", "--timeout=300s")
    in_use = ("get", "streamresources", "-o", "jsonpath={.items[*].status.inUse}")
    eventually(lambda: kubectl(*of_ou, *in_use), until=lambda seen: "true" not in seen, within_seconds=300)
    kubectl(*of_ou, "delete", "streamresources", "--all", "--timeout=300s")


def _sent(bootstrap: str, redis: Redis) -> Outcome:
    topics = {"ORIGIN": expected.SERIES, "OFFLINE_ORIGIN": expected.REPLAYED}
    for asset, attributes in expected.ATTRIBUTES.items():
        records.put_attributes(redis, ORG_ID, asset, attributes)
    for name, series in topics.items():
        topic = f"MEASURE_POINT_{name}_{ORG_ID}"
        create_topic(bootstrap, topic, PARTITIONS)
        records.send(bootstrap, topic, records.messages(series))
    return Outcome()


def _look(stage: Stage, bootstrap: str, redis: Redis) -> Seen:
    jobs = json.loads(stage.cluster.kubectl("-n", stage.namespace, "get", "streamjobs", "-o", "json"))["items"]
    return Seen(
        online=records.results(bootstrap, f"MEASURE_POINT_CAL_{ORG_ID}"),
        offline=records.results(bootstrap, f"MEASURE_POINT_OFFLINE_CAL_{ORG_ID}"),
        statuses={job["metadata"]["name"]: job.get("status", {}) for job in jobs},
        devices={asset: records.device(redis, ORG_ID, asset) for asset in expected.ATTRIBUTES},
        site=records.site(redis, ORG_ID, expected.SITE),
    )


def _take(outcome: Outcome, seen: Seen, redis: Redis) -> None:
    outcome.online, outcome.offline = seen.online, seen.offline
    outcome.devices, outcome.site = seen.devices, seen.site
    outcome.latest = {asset: records.latest(redis, ORG_ID, asset) for asset in expected.ATTRIBUTES}


def _is_done(job: str, seen: Seen) -> bool:
    """Whether a job has given all it has to, and its status says so."""
    told = seen.statuses.get(job, {}).get("throughput") or {}
    return told.get("lagRecords") == 0 and told.get("totalOut", 0) > 0 and _HAS_RESULTS.get(job, _has_all)(job, seen)


def _has_all(job: str, seen: Seen) -> bool:
    found = records.newest([*seen.online, *seen.offline])
    return expected.RESULTS[job].keys() <= found.keys()


def _has_difference(_: str, seen: Seen) -> bool:
    """Two ticks in a row for each asset have the difference of the last extremes."""
    return all(
        [value for _, value in differences(seen.online, asset)][-2:] == [wanted, wanted]
        for asset, wanted in expected.DIFFERENCE.items()
    )


def _has_states(_: str, seen: Seen) -> bool:
    """All devices have been silent for long enough."""
    return seen.site.get("online") == "0" and all(
        device.get("connection") == "offline" for device in seen.devices.values()
    )


_HAS_RESULTS: dict[str, Callable[[str, Seen], bool]] = {"difference": _has_difference, "devices": _has_states}


def differences(found: list[Result], asset: str) -> list[tuple[int, float]]:
    """Times and values of the chain's second job, in order."""
    return of_point(found, asset, "ReadingDifference")


def of_point(found: list[Result], asset: str, point: str) -> list[tuple[int, Any]]:
    """Times and values of an asset's point, in order."""
    return sorted((key[2], value) for key, value in records.newest(found).items() if key[:2] == (asset, point))


def _admitted(status: Status) -> float:
    return float(status.get("admittedCu", 0))
