"""Which cluster is used, and what is asked of kind and Docker: recorded by executables that stand in for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.eventually import eventually
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.providers import Delivery, choose
from localcluster.providers.choice import Provider, provider_of
from localcluster.providers.external import external
from localcluster.providers.kind import docker_answers, kind
from localcluster.providers.port_forward import forwarded_port
from localcluster.state import State

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443"}}]
users: [{name: u, user: {token: none}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
"""
Recorder = Callable[..., Path]


def never() -> bool:
    raise AssertionError("Docker was asked")


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def stand_in(tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Put an executable on PATH that records how it is called and then does what its script says."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(name: str, script: str = "") -> Path:
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{script}\n')
        path.chmod(0o755)
        return path

    return install


def test_a_named_kubeconfig_comes_first(tmp_path: Path) -> None:
    assert provider_of({"KUBECONFIG": "/home/me/config"}, State(tmp_path), never) is Provider.EXTERNAL


def test_the_local_clusters_own_kubeconfig_means_the_local_cluster(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert provider_of({"KUBECONFIG": str(state.kubeconfig)}, state, never) is Provider.LOCAL


@pytest.mark.parametrize(("docker", "provider"), [(True, Provider.KIND), (False, Provider.LOCAL)])
def test_kind_is_used_where_docker_answers(tmp_path: Path, *, docker: bool, provider: Provider) -> None:
    assert provider_of({"KUBECONFIG": ""}, State(tmp_path), lambda: docker) is provider


@pytest.mark.parametrize(("script", "answers"), [("exit 0", True), ("exit 1", False)])
def test_docker_answers_when_its_engine_does(stand_in: Recorder, calls: Path, script: str, *, answers: bool) -> None:
    stand_in("docker", script)
    assert docker_answers() is answers
    assert calls.read_text() == "docker info\n"


def test_without_a_docker_client_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not docker_answers()


def test_kind_is_asked_for_a_cluster_and_given_the_images(
    tmp_path: Path, stand_in: Recorder, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path / "state")
    kubeconfig = state.root / "kind-kubeconfig"
    stand_in("docker")
    stand_in("kubectl")
    stand_in("helm")
    stand_in("kind", f"case $1 in create) cat > {kubeconfig} <<'END'\n{KUBECONFIG}END\n;; esac")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with choose(environment={"STREAMJOB_STATE": str(state.root)}) as cluster:
        assert cluster.kubeconfig == kubeconfig
        assert cluster.delivery is Delivery.LOAD
        cluster.load_images(Path("/images/runtime.tar"))
        cluster.helm("list")
    assert calls.read_text().splitlines() == [
        "docker info",
        "kind get clusters",
        f"kind create cluster --name=streamjob --kubeconfig={kubeconfig}",
        "kind load image-archive --name streamjob /images/runtime.tar",
        f"helm --kubeconfig={kubeconfig} list",
    ]


def test_a_kind_cluster_that_exists_is_used_again(tmp_path: Path, stand_in: Recorder, calls: Path) -> None:
    state = State(tmp_path / "state")
    state.root.mkdir()
    (state.root / "kind-kubeconfig").write_text(KUBECONFIG)
    stand_in("kubectl")
    stand_in("helm")
    stand_in("kind", "echo streamjob")
    with kind(state, Progress()):
        assert calls.read_text() == "kind get clusters\n"


def test_an_image_that_kind_refuses_is_an_error_with_its_words(tmp_path: Path, stand_in: Recorder) -> None:
    state = State(tmp_path / "state")
    state.root.mkdir()
    (state.root / "kind-kubeconfig").write_text(KUBECONFIG)
    stand_in("kubectl")
    stand_in("helm")
    stand_in("kind", "case $1 in get) echo streamjob;; *) echo no nodes found >&2; exit 1;; esac")
    with kind(state, Progress()) as cluster, pytest.raises(ClusterError, match="no nodes found"):
        cluster.load_images(Path("/images/runtime.tar"))


def external_environment(tmp_path: Path, **more: str) -> dict[str, str]:
    (tmp_path / "config").write_text(KUBECONFIG)
    return {"KUBECONFIG": str(tmp_path / "config"), **more}


def test_a_users_cluster_pulls_from_the_users_registry(tmp_path: Path, stand_in: Recorder) -> None:
    stand_in("kubectl", "echo ok")
    stand_in("helm")
    environment = external_environment(tmp_path, STREAMJOB_IMAGE_PREFIX="registry.example.org/streamjob")
    with external(State(tmp_path), environment, Progress()) as cluster:
        assert (cluster.delivery, cluster.image_prefix) == (Delivery.PUSH, "registry.example.org/streamjob")


def test_a_users_cluster_without_a_registry_is_told_so_only_when_images_are_needed(
    tmp_path: Path, stand_in: Recorder
) -> None:
    stand_in("kubectl", "echo ok")
    stand_in("helm")
    with external(State(tmp_path), external_environment(tmp_path), Progress()) as cluster:
        assert cluster.kubectl("get", "nodes") == "ok\n"
        with pytest.raises(ClusterError, match="set STREAMJOB_IMAGE_PREFIX"):
            _ = cluster.image_prefix


def test_a_users_cluster_that_does_not_answer_is_an_error_with_kubectls_words(
    tmp_path: Path, stand_in: Recorder
) -> None:
    stand_in("kubectl", "echo connection refused >&2; exit 1")
    stand_in("helm")
    with (
        pytest.raises(ClusterError, match="connection refused"),
        external(State(tmp_path), external_environment(tmp_path), Progress()),
    ):
        pytest.fail("it was used")


@pytest.mark.parametrize("value", ["/nowhere/config", "a:b"])
def test_kubeconfig_names_one_file_that_exists(tmp_path: Path, value: str) -> None:
    with (
        pytest.raises(ClusterError, match="must name one file"),
        external(State(tmp_path), {"KUBECONFIG": value}, Progress()),
    ):
        pytest.fail("it was used")


def test_the_forwarded_port_is_read_from_kubectls_line() -> None:
    assert forwarded_port("Forwarding from 127.0.0.1:40123 -> 9092\n") == 40123
    assert forwarded_port("Handling connection for 40123\n") is None


def test_a_forward_that_breaks_is_made_again_at_the_same_port(tmp_path: Path, stand_in: Recorder, calls: Path) -> None:
    stand_in(
        "kubectl",
        f"""case "$*" in *readyz*) exit;; esac
        echo "Forwarding from 127.0.0.1:40123 -> 80"
        [ -e {tmp_path}/broken ] && exec sleep 60
        touch {tmp_path}/broken""",
    )
    stand_in("helm")
    with (
        external(State(tmp_path), external_environment(tmp_path), Progress()) as cluster,
        cluster.port_forward("ns", "service/web", 80) as port,
    ):
        assert port == 40123
        forwards = eventually(
            lambda: [line for line in calls.read_text().splitlines() if "port-forward" in line],
            until=lambda lines: len(lines) == 2,
        )
    assert [line.split()[-1] for line in forwards] == [":80", "40123:80"]


def test_a_forward_to_nothing_is_an_error_with_kubectls_words(tmp_path: Path, stand_in: Recorder) -> None:
    stand_in("kubectl", 'case "$*" in *readyz*) ;; *) echo "service not found" >&2; exit 1;; esac')
    stand_in("helm")
    with (
        external(State(tmp_path), external_environment(tmp_path), Progress()) as cluster,
        pytest.raises(ClusterError, match="service not found"),
        cluster.port_forward("ns", "service/web", 80),
    ):
        pytest.fail("it was forwarded")
