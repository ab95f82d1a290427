"""From the images of an earlier commit to those of this one: jobs go on with their state, and no result is lost.

The earlier commit is the one before the last change of what both images are made of, or ``STREAMJOB_UPGRADE_FROM``. Its
own build files build its images, and its own chart installs them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.stage import CHART, Stage, create_topic
from e2e import records
from fixtures.eventually import eventually
from fixtures.installation import ensure_crds
from images.delivery import deliver
from images.inputs import LOCKED, REPOSITORY
from localcluster.providers import Cluster

pytestmark = pytest.mark.timeout(3600)

NAMESPACE, ORG_ID, KAFKA_PORT, RELEASE = "ou-upgrade", "oUpgrade", 39094, "streamjob-upgrade"
JOB, ASSETS, HOUR = "hourly", 20, 1_767_225_600_000  # 2026-01-01T00:00:00Z
PATIENCE_SECONDS = 900.0


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout


def earlier_commit() -> str:
    """The commit to upgrade from; without history there is none, and nothing can be shown."""
    if named := os.environ.get("STREAMJOB_UPGRADE_FROM"):
        return named
    try:
        last = git("log", "--format=%H", "-1", "--", *LOCKED).strip()
        return git("rev-parse", "--verify", f"{last}^").strip()
    except (OSError, subprocess.CalledProcessError) as error:
        told = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        pytest.skip(f"no earlier commit to upgrade from; in a shallow clone run git fetch --unshallow ({told})")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The earlier commit's tree."""
    commit, folder = earlier_commit(), tmp_path_factory.mktemp("earlier") / "tree"
    git("worktree", "add", "--detach", str(folder), commit)
    yield folder
    git("worktree", "remove", "--force", str(folder))


def built(tree: Path) -> dict[str, str]:
    """The images of another tree, by its own build."""
    paths = os.pathsep.join(str(tree / part) for part in ("", "tests", "operator", "job_images"))
    command = [sys.executable, "-m", "images", "build", "operator", "runtime"]
    environment = os.environ | {"PYTHONPATH": paths}
    told = subprocess.run(command, cwd=tree, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, str] = json.loads(told)
    return found


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[Stage]:
    images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    stage = Stage(cluster, images, NAMESPACE, ORG_ID, KAFKA_PORT, RELEASE, RELEASE)
    stage.remove_ou()
    stage.remove_operator()
    yield stage
    stage.remove_ou(wait=False)
    stage.remove_operator(wait=False)


def install(stage: Stage, chart: Path, images: dict[str, str]) -> None:
    """Install a chart's operator, or upgrade to it; the CRDs are this commit's: they come first, and only grow."""
    entries = yaml.safe_load((chart / "values.yaml").read_text())["catalogue"]
    values = {
        "crds": {"install": False},
        "image": {"reference": images["operator"]},
        "catalogue": [{**entry, "image": images["runtime"]} for entry in entries],
        "watchNamespaces": [stage.namespace],
        "settings": {"cpuRequestPerCu": 0.1, "progressIntervalSeconds": 3, "throughputIntervalSeconds": 3},
    }
    stage.cluster.create_namespace(stage.namespace)
    stage.cluster.helm(
        *("upgrade", "--install", stage.release, str(chart), "--create-namespace", "--take-ownership"),
        *("--namespace", stage.system_namespace, "--wait", "--timeout", "10m", "--values", "-"),
        input=json.dumps(values),
    )


def manifests() -> list[dict[str, Any]]:
    policies = [
        {"input": "Meter::Reading", "aggregation": aggregation, "windowSize": "1h", "output": f"Meter::{aggregation}"}
        for aggregation in ("sum", "cnt", "max")
    ]
    resource = {
        "orgId": ORG_ID,
        "capacity": {"design": 1, "standalone": 1},
        "libraries": [{"name": "time-window-aggregation", "version": "1.0"}],
        "kafka": {"bootstrapServers": "kafka:9092"},
        "redis": {"url": "redis://redis:6379/0"},
    }
    job = {
        "template": {"name": "time-window-aggregation", "version": "1.0"},
        "timeWindowAggregation": {"policies": policies},
    }
    kinds = {"StreamResource": ("energy", resource), "StreamJob": (JOB, job)}
    return [
        {"apiVersion": "streamjob.dev/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        for kind, (name, spec) in kinds.items()
    ]


def readings(minutes: range) -> Iterator[tuple[str, str]]:
    """One of each asset each minute; the value is the minute."""
    for minute in minutes:
        for asset in range(ASSETS):
            payload = [{"assetId": f"a{asset}", "time": HOUR + minute * 60_000, "measurepoints": {"Reading": minute}}]
            yield f"a{asset}", json.dumps({"modelId": "Meter", "modelIdPath": "/Meter", "payload": payload})


def expected(hours: int) -> dict[tuple[str, str, int], float]:
    """Of the hours that the readings have closed."""
    found: dict[tuple[str, str, int], float] = {}
    for hour in range(hours):
        minutes = range(hour * 60, hour * 60 + 60)
        for asset in (f"a{number}" for number in range(ASSETS)):
            start = HOUR + hour * 3_600_000
            found |= {
                (asset, "sum", start): sum(minutes),
                (asset, "cnt", start): 60,
                (asset, "max", start): minutes[-1],
            }
    return found


def status(stage: Stage) -> dict[str, Any]:
    shown = json.loads(stage.cluster.kubectl("-n", stage.namespace, "get", "streamjob", JOB, "-o", "json"))
    found: dict[str, Any] = shown.get("status", {})
    return found


def has_read(stage: Stage, messages: int) -> None:
    """Wait until the present driver has read so much and written what came of it."""
    eventually(
        lambda: stage.progress(JOB),
        until=lambda seen: seen.get("totals", {}).get("messages", 0) >= messages and bool(seen.get("idle")),
        within_seconds=PATIENCE_SECONDS,
        every_seconds=2,
    )


def ready(stage: Stage, image: str) -> dict[str, Any]:
    """The status as soon as a driver of this image is ready."""

    def holds(seen: dict[str, Any]) -> bool:
        conditions = {each["type"]: each["status"] for each in seen.get("conditions", ())}
        return conditions.get("Ready") == "True" and image_of(stage, seen["driver"]["podName"]) == image

    return eventually(lambda: status(stage), until=holds, within_seconds=PATIENCE_SECONDS, every_seconds=2)


def image_of(stage: Stage, pod: str) -> str:
    template = "jsonpath={.spec.containers[0].image}"
    return stage.cluster.kubectl("-n", stage.namespace, "get", "pod", pod, "-o", template, "--ignore-not-found")


def test_a_job_keeps_its_state_through_an_upgrade_of_operator_and_runtime(
    cluster: Cluster, stage: Stage, earlier: Path
) -> None:
    images, former = dict(stage.images), built(earlier)
    assert former.keys() & images.keys() == {name for name in former if former[name] != images[name]}
    ensure_crds(cluster)
    install(stage, earlier / CHART.relative_to(REPOSITORY), former)
    stage.install_platform()
    with stage.kafka() as bootstrap:
        topic = f"MEASURE_POINT_ORIGIN_{ORG_ID}"
        for name in (topic, f"MEASURE_POINT_CAL_{ORG_ID}"):
            create_topic(bootstrap, name, 2)
        cluster.kubectl("-n", NAMESPACE, "apply", "-f", "-", input="\n---\n".join(map(json.dumps, manifests())))
        before = ready(stage, former["runtime"])
        has_read(stage, 0)  # from now on: a driver that lost its state would not read this again
        records.send(bootstrap, topic, readings(range(90)))
        has_read(stage, 90 * ASSETS)  # the second hour is half full

        install(stage, CHART, images)
        after = ready(stage, images["runtime"])
        assert after["deployed"]["checkpoint"] == before["deployed"]["checkpoint"]
        assert (after["attempt"], after["restarts"]) == (before["attempt"] + 1, before["restarts"])
        assert after["deployed"]["stateHash"]
        records.send(bootstrap, topic, readings(range(90, 181)))
        has_read(stage, 91 * ASSETS)
        wanted = expected(3)
        found = eventually(
            lambda: records.newest(records.results(bootstrap, f"MEASURE_POINT_CAL_{ORG_ID}")),
            until=lambda seen: wanted.keys() <= seen.keys(),
            within_seconds=PATIENCE_SECONDS,
            every_seconds=2,
        )
    assert found == wanted
