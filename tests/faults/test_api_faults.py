"""The API server errs, is slow, falls silent or is away while jobs come, change and go: all end where they should."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from cluster.operator_process import Manifest, OperatorProcess, Ou, is_ready, on_one_volume, stream_job
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually
from fixtures.fault_proxy import Asked, Fault, FaultProxy

JOBS = ("kept", "edited", "deleted", "killed")


@pytest.fixture
def proxy(ou: Ou, tmp_path: Path) -> Iterator[FaultProxy]:
    made = FaultProxy(ou.cluster.kubeconfig, tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def behind(idle_operator: OperatorProcess, proxy: FaultProxy) -> OperatorProcess:
    """An operator that reaches the API server through the proxy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        idle_operator.port = probe.getsockname()[1]
    idle_operator.kubeconfig = proxy.kubeconfig
    return idle_operator


def asked(operator: OperatorProcess, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def reading(operator: OperatorProcess, name: str) -> float:
    lines = (line.partition(" ") for line in asked(operator, "/metrics").splitlines())
    return next(float(value) for key, _, value in lines if key == f"streamjob_operator_{name}")


def is_healthy(operator: OperatorProcess) -> bool:
    try:
        return asked(operator, "/healthz") == "ok\n"
    except (urllib.error.URLError, ConnectionError):
        return False


@contextmanager
def cut(proxy: FaultProxy) -> Iterator[None]:
    """Every watch is reset, again and again."""
    proxy.cut_watches()
    yield
    proxy.cut_watches()


@contextmanager
def silent(proxy: FaultProxy) -> Iterator[None]:
    """The watches that are open fall silent for good: only the operator itself can find that out."""
    assert proxy.silence_watches() >= 3
    yield


@contextmanager
def expired(proxy: FaultProxy) -> Iterator[None]:
    """Watches are away while things happen; when they return, the version that they ask for is no longer kept."""
    with proxy.faulty(Fault(status=503, hits=lambda asked: asked.is_watch)):
        proxy.cut_watches()
        yield
    with proxy.faulty(Fault(status=410, hits=lambda asked: asked.is_watch and asked.since)):
        eventually(lambda: sum(1 for asked, status in proxy.answered if status == 410), until=lambda hits: hits >= 3)


@contextmanager
def told_410(proxy: FaultProxy) -> Iterator[None]:
    """The watches say 410 after what happened meanwhile was kept from them."""
    proxy.watch_delay = 3600.0
    yield
    proxy.watch_delay = 0.0
    assert proxy.expire_watches() >= 3
    proxy.cut_watches()


def during(seconds: float, *faults: Fault) -> Callable[[FaultProxy], AbstractContextManager[None]]:
    @contextmanager
    def fault(proxy: FaultProxy) -> Iterator[None]:
        since = time.monotonic()
        with proxy.faulty(*faults):
            yield
            time.sleep(max(since + seconds - time.monotonic(), 0))

    return fault


@contextmanager
def refused(proxy: FaultProxy) -> Iterator[None]:
    """Nobody listens for half a minute."""
    since = time.monotonic()
    with proxy.refusing():
        yield
        time.sleep(max(since + 30 - time.monotonic(), 0))


@contextmanager
def lagging(proxy: FaultProxy) -> Iterator[None]:
    """Each event of a watch comes 3 s late: what the operator knows is old."""
    proxy.watch_delay = 3.0
    yield
    time.sleep(20)
    proxy.watch_delay = 0.0


def everything(_: Asked) -> bool:
    return True


def is_status_write(asked: Asked) -> bool:
    return asked.is_write and asked.path.endswith("/status")


FAULTS: dict[str, Callable[[FaultProxy], AbstractContextManager[None]]] = {
    "watches cut": cut,
    "watches silent": silent,
    "410 in the watches": told_410,
    "410 to the watches' requests": expired,
    "429 with Retry-After": during(15, Fault(status=429, share=0.7, headers={"Retry-After": "1"}, hits=everything)),
    "500 for everything": during(20, Fault(status=500, hits=everything)),
    "500 for a third": during(30, Fault(status=500, share=0.33, hits=everything)),
    "500 although it was done": during(20, Fault(status=500, share=0.5, after=True)),
    "409 at status writes": during(15, Fault(status=409, share=0.8, hits=is_status_write)),
    "404 to the watches": during(10, Fault(status=404, hits=lambda asked: asked.is_watch)),
    "answers 2 to 5 s late": during(40, Fault(delay=(2.0, 5.0))),
    "events 3 s late": lagging,
    "connections refused": refused,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=[name.replace(" ", "-") for name in FAULTS])
def test_all_jobs_end_where_they_should(
    ou: Ou, behind: OperatorProcess, proxy: FaultProxy, fault: Callable[[FaultProxy], AbstractContextManager[None]]
) -> None:
    behind.start()
    ou.apply(*on_one_volume(standalone=5), *map(stream_job, JOBS))
    kept = {name: ou.job_until(name, is_ready) for name in JOBS}["kept"]
    eventually(lambda: proxy.watches, until=lambda number: number >= 3)
    tasks = quiet_tasks(behind)
    with ExitStack() as stack:
        events = stack.enter_context(watched(ou.cluster, ou.namespace))
        with fault(proxy):
            ou.patch("edited", {"restartNonce": 1})
            ou.delete("streamjob", "deleted", "--wait=false")
            ou.delete("pod", "killed-1-driver", "--wait=false")
            ou.apply(stream_job("new"))
            assert behind.is_running()
        ends_as_asked(ou, kept)
    most, most_of = most_at_once(events)
    assert most_of == {"kept": 1, "edited": 1, "deleted": 1, "killed": 1, "new": 1}
    assert most <= 5
    assert behind.is_running()
    assert eventually(lambda: is_healthy(behind))
    assert quiet_tasks(behind) <= tasks + 10


def ends_as_asked(ou: Ou, kept: Manifest) -> None:
    edited = ou.job_until("edited", lambda status: status["attempt"] == 2 and is_ready(status))
    killed = ou.job_until("killed", lambda status: status["attempt"] == 2 and is_ready(status))
    new = ou.job_until("new", is_ready)
    eventually(
        lambda: sorted(pod["metadata"]["name"] for pod in ou.pods() if pod["status"]["phase"] == "Running"),
        until=lambda names: names == ["edited-2-driver", "kept-1-driver", "killed-2-driver", "new-1-driver"],
    )
    now = ou.get("streamjob", "kept")["status"]
    assert (now["attempt"], now["driver"]["uid"], now["restarts"]["total"]) == (1, kept["driver"]["uid"], 0)
    assert (edited["restarts"]["total"], new["attempt"], new["restarts"]["total"]) == (0, 1, 0)
    assert killed["restarts"]["total"] == 1


def quiet_tasks(operator: OperatorProcess) -> float:
    """Tasks of the operator's loop once nothing is under way."""
    seen: list[float] = []

    def settled() -> bool:
        seen.append(reading(operator, "tasks"))
        return len(seen) > 5 and max(seen[-5:]) - min(seen[-5:]) <= 2

    eventually(settled, within_seconds=60, every_seconds=0.5)
    return seen[-1]


def test_an_operator_that_starts_while_the_api_server_is_away_waits_for_it(
    ou: Ou, behind: OperatorProcess, proxy: FaultProxy
) -> None:
    ou.apply(*on_one_volume(), stream_job("patient"))
    with proxy.refusing():
        behind.start()
        eventually(lambda: "the API server does not answer" in behind.log.read_text())
        assert is_healthy(behind)  # to start it anew would not help
    with proxy.faulty(Fault(status=500, hits=everything)):
        eventually(lambda: "told to err" in behind.log.read_text())
    ou.job_until("patient", is_ready)
    assert behind.is_running()
