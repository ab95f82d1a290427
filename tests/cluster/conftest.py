"""An OU with a running operator, on the real API server and kubelet."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cluster.operator_process import TEMPLATE, OperatorProcess, Ou
from images.delivery import deliver
from images.inputs import IMAGES, REPOSITORY, Image
from localcluster.providers import Cluster

_STAND_IN = "tests/images/driver-stand-in"


@pytest.fixture(scope="session")
def stand_in(cluster: Cluster) -> str:
    """The image that stands in for the runtime."""
    image = Image("driver-stand-in", f"{_STAND_IN}/Dockerfile", (_STAND_IN,), context=_STAND_IN)
    IMAGES.setdefault(image.name, image)
    return deliver(cluster, [image.name])[image.name]


@pytest.fixture(scope="session")
def crds(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    for name in ("streamjobs", "streamresources"):
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{name}.streamjob.dev", "--timeout=60s")


@pytest.fixture
def ou(cluster: Cluster, crds: None) -> Iterator[Ou]:
    """A namespace of the test's own."""
    namespace = f"ou-{uuid.uuid4().hex[:8]}"
    cluster.create_namespace(namespace)
    yield Ou(cluster, namespace)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def idle_operator(ou: Ou, stand_in: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator for the OU that was not started yet."""
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(yaml.safe_dump({"templates": [{**TEMPLATE, "image": stand_in}]}))
    operator = OperatorProcess(ou.cluster.kubeconfig, ou.namespace, catalogue, tmp_path / "operator.log")
    yield operator
    if operator.is_running():
        operator.stop()
    print(operator.log.read_text() if operator.log.exists() else "the operator was not started")


@pytest.fixture
def operator(idle_operator: OperatorProcess) -> OperatorProcess:
    """A running operator for the OU."""
    idle_operator.start()
    return idle_operator
