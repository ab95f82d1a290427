"""The demo's run and that of all templates, each once: every test here looks at what they left."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from rich.console import Console

from demo import meters
from demo.run import Outcome, run
from demo.stage import Stage
from e2e import every_template
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
def stage(cluster: Cluster) -> Iterator[Stage]:
    """Where everything here runs: one operator, one OU with its Kafka and Redis. Drivers are asked often."""
    images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    settings = {"progressIntervalSeconds": 3, "throughputIntervalSeconds": 3}
    stage = Stage(cluster, images, NAMESPACE, ORG_ID, KAFKA_PORT, RELEASE, SYSTEM_NAMESPACE, settings)
    stage.remove_operator()  # a former run's may still be on its way out
    yield stage
    stage.remove_ou(wait=False)
    stage.remove_operator(wait=False)


@pytest.fixture(scope="session")
def demo(stage: Stage) -> Demo:
    """The demo's run, over four of its seven days."""
    data = state_folder(os.environ).root / "data"
    return Demo(stage, run(stage, meters.Week(days=4), data, rate=50_000, console=Console(quiet=True)))


@pytest.fixture(scope="session")
def everything(stage: Stage) -> every_template.Outcome:
    """The run of all templates, beside what the demo has left."""
    stage.install_operator()
    stage.install_platform()
    return every_template.run(stage)
