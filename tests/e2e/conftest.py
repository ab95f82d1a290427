"""The demo's run, once: every test here looks at what it left."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from rich.console import Console

from demo import meters
from demo.run import Outcome, run
from demo.stage import Stage
from images.delivery import deliver
from localcluster.providers import Cluster
from localcluster.state import state_folder

# Beside a demo that somebody looks at while the tests run.
NAMESPACE, ORG_ID, KAFKA_PORT = "ou-e2e", "oE2E", 39093
RELEASE, SYSTEM_NAMESPACE = "streamjob-e2e", "streamjob-e2e"
JOB = "meter-extremes-10min"


@dataclass(frozen=True)
class Demo:
    """The stage after the run, and what came back."""

    stage: Stage
    outcome: Outcome


@pytest.fixture(scope="session")
def demo(cluster: Cluster) -> Iterator[Demo]:
    images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    stage = Stage(cluster, images, NAMESPACE, ORG_ID, KAFKA_PORT, RELEASE, SYSTEM_NAMESPACE)
    stage.remove_operator()  # a former run's may still be on its way out
    data = state_folder(os.environ).root / "data"
    yield Demo(stage, run(stage, meters.Week(), data, rate=50_000, console=Console(quiet=True)))
    stage.remove_ou(wait=False)
    stage.remove_operator(wait=False)
