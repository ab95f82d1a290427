"""OUs with a running operator, on the real API server and kubelet."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from cluster.operator_process import TEMPLATE, OperatorProcess, Ou
from fixtures.eventually import eventually
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
def catalogue(stand_in: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("operator") / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"templates": [{**TEMPLATE, "image": stand_in}]}))
    return path


@pytest.fixture(scope="session")
def crds(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    for name in ("streamjobs", "streamresources"):
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{name}.streamjob.dev", "--timeout=60s")


def _pool(fixtures: Iterable[str]) -> str:
    """Whether a test's OU is watched by the operator that all share, or by one that the test starts itself."""
    return "shared" if "operator" in fixtures else "private"


@pytest.fixture(scope="session")
def namespaces(request: pytest.FixtureRequest, cluster: Cluster, crds: None) -> Iterator[dict[str, list[str]]]:
    """A namespace for each test of the run that wants one, made all at once."""
    asking = [item for item in request.session.items if "ou" in getattr(item, "fixturenames", ())]
    names: dict[str, list[str]] = {"shared": [], "private": []}
    for item in asking:
        names[_pool(getattr(item, "fixturenames", ()))].append(f"ou-{uuid.uuid4().hex[:8]}")
    every = [*names["shared"], *names["private"]]
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in every]
    cluster.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    eventually(lambda: _without_account(cluster, every), until=lambda left: not left)
    yield names
    cluster.kubectl("delete", "namespace", *every, "--wait=false")


def _without_account(cluster: Cluster, names: list[str]) -> set[str]:
    """Namespaces in which no pod can be made yet."""
    accounts = cluster.kubectl("get", "serviceaccounts", "-A", "-o", "jsonpath={.items[*].metadata.namespace}")
    return set(names) - set(accounts.split())


@pytest.fixture(scope="session")
def free(namespaces: dict[str, list[str]]) -> dict[str, Iterator[str]]:
    """Namespaces that no test has taken yet."""
    return {pool: iter(names) for pool, names in namespaces.items()}


@pytest.fixture
def ou(request: pytest.FixtureRequest, cluster: Cluster, free: dict[str, Iterator[str]]) -> Iterator[Ou]:
    """A namespace of the test's own; what ran in it ends with the test, for the machine is small."""
    ou = Ou(cluster, next(free[_pool(request.fixturenames)]))
    yield ou
    cluster.kubectl("delete", "-n", ou.namespace, "streamjobs,streamresources", "--all", "--wait=false")


@pytest.fixture(scope="session")
def shared_operator(cluster: Cluster, namespaces: dict[str, list[str]], catalogue: Path) -> Iterator[OperatorProcess]:
    """One operator for all OUs that do not bring their own."""
    watched = ",".join(namespaces["shared"])
    operator = OperatorProcess(cluster.kubeconfig, watched, catalogue, catalogue.parent / "operator.log")
    operator.start()
    yield operator
    operator.stop()


@pytest.fixture
def operator(ou: Ou, shared_operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator that watches the OU."""
    assert shared_operator.is_running()
    yield shared_operator
    lines = shared_operator.log.read_text().splitlines()
    print("\n".join(line for line in lines if ou.namespace in line))


@pytest.fixture
def idle_operator(ou: Ou, catalogue: Path, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator of the OU's own that was not started yet."""
    operator = OperatorProcess(ou.cluster.kubeconfig, ou.namespace, catalogue, tmp_path / "operator.log")
    yield operator
    if operator.is_running():
        operator.stop()
    print(operator.log.read_text() if operator.log.exists() else "the operator was not started")
