"""What a start costs the API server: counted, since a thousand starts at once are bound by just that."""

from __future__ import annotations

import re
import socket
import urllib.request
from collections import Counter

from cluster.operator_process import OperatorProcess, Ou, is_ready, stream_job, stream_resource
from fixtures.eventually import eventually

_REQUEST = re.compile(r'^streamjob_operator_api_requests_total\{request="([^"]+)"\} ([0-9.]+)$', re.MULTILINE)


def test_a_start_costs_few_requests(ou: Ou, idle_operator: OperatorProcess) -> None:
    idle_operator.port = free_port()
    idle_operator.start()
    ou.apply(stream_resource())
    eventually(lambda: ou.get("streamresource", "energy").get("status", {}), until=is_ready, within_seconds=120)
    before = requests(idle_operator)
    ou.apply(stream_job("counted"))
    ou.job_until("counted", is_ready)
    made = requests(idle_operator) - before
    assert {name: made[name] for name in ("POST configmaps", "POST persistentvolumeclaims", "POST pods")} == {
        "POST configmaps": 1,
        "POST persistentvolumeclaims": 1,
        "POST pods": 1,
    }
    # the intent, the pod, what it is doing, and Ready; more only where the machine is slow to bring one of them
    assert made["PATCH streamjobs/status"] <= 6, made
    assert made["PUT streamresources/status"] <= 4, made
    assert not [name for name in made if name.startswith(("PATCH pods", "PATCH configmaps", "PATCH persistent"))], made


def requests(operator: OperatorProcess) -> Counter[str]:
    """How many requests of each kind the operator has sent so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/metrics", timeout=30) as answer:
        return Counter({name: int(float(count)) for name, count in _REQUEST.findall(answer.read().decode())})


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
