"""Whether an OU's Kafka and Redis can be used is told before any job runs; by the image that ships, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cluster.operator_process import TEMPLATE, Manifest, OperatorProcess, Ou, condition, stream_job, stream_resource
from fixtures.eventually import eventually
from fixtures.host_address import host_address
from fixtures.host_process import free_port
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from images.delivery import deliver
from localcluster.providers import Cluster

PASSWORD = "right"  # noqa: S105 (of a server that lives as long as the test)


@pytest.fixture(scope="module")
def host(cluster: Cluster) -> str:
    """The address by which pods reach this machine: that of the node that is this machine."""
    address = host_address(cluster)
    assert address is not None
    return address


@pytest.fixture(scope="module")
def broker(host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"), host)
    broker.start()
    yield broker
    broker.process.kill()


@pytest.fixture(scope="module")
def closed_redis(host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), host, PASSWORD)
    server.start()
    yield server
    server.process.kill()


@pytest.fixture
def runtime_operator(ou: Ou, cluster: Cluster, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator whose catalogue has the runtime that ships."""
    catalogue = tmp_path / "catalogue.yaml"
    image = deliver(cluster, ["runtime"])["runtime"]
    catalogue.write_text(yaml.safe_dump({"templates": [{**TEMPLATE, "image": image}]}))
    operator = OperatorProcess(cluster.kubeconfig, ou.namespace, catalogue, tmp_path / "operator.log")
    operator.start()
    yield operator
    operator.stop()
    print(operator.log.read_text())


def resource(kafka: str, redis: RedisServer) -> Manifest:
    told = {"url": redis.url, "authSecret": "redis-client"}
    return stream_resource(orgId="oReach", kafka={"bootstrapServers": kafka}, redis=told)


def secret(password: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "redis-client"},
        "stringData": {"password": password},
    }


def told(ou: Ou, kind: str, reason: str, within_seconds: float = 240) -> Manifest:
    def look() -> Manifest:
        return condition(ou.get("streamresource", "energy").get("status", {}), kind)

    return eventually(look, until=lambda found: found.get("reason") == reason, within_seconds=within_seconds)


def checks(ou: Ou) -> list[str]:
    return [pod["metadata"]["name"] for pod in ou.items("pods", "streamjob.dev/component=check")]


def test_what_cannot_be_reached_is_told_with_the_cause_and_becomes_true_when_it_is_corrected(
    ou: Ou, runtime_operator: OperatorProcess, broker: KafkaBroker, closed_redis: RedisServer, host: str
) -> None:
    ou.apply(resource(f"{host}:{free_port()}", closed_redis))
    missing = told(ou, "RedisReachable", "SecretMissing")
    assert "spec.redis.authSecret: Secret redis-client does not exist" in missing["message"]
    assert told(ou, "KafkaReachable", "KafkaUnreachable")["status"] == "False"

    ou.apply(secret("wrong"))
    assert told(ou, "RedisReachable", "RedisDenied")["status"] == "False"
    broker.create_topic("MEASURE_POINT_ORIGIN_oReach", partitions=2)
    ou.apply(secret(PASSWORD), resource(broker.bootstrap_servers, closed_redis))
    assert told(ou, "RedisReachable", "Reachable")["status"] == "True"
    reached = told(ou, "KafkaReachable", "Reachable")
    assert reached["message"] == "topic MEASURE_POINT_ORIGIN_oReach has 2 partitions"
    assert reached["observedGeneration"] == 2
    eventually(lambda: checks(ou), until=lambda left: not left)
    status = ou.get("streamresource", "energy")["status"]
    assert status["standalone"]["used"] == 0
    assert condition(status, "Ready")["status"] == "True"
    assert PASSWORD not in runtime_operator.log.read_text()


def test_drivers_are_heard_at_once_and_no_pod_asks_while_they_tell(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("telling"))
    eventually(
        lambda: told(ou, "KafkaReachable", "Reachable")["message"],
        until=lambda message: message == "drivers work with it",
    )
    ou.tell("telling-1-driver", waiting="KafkaUnreachable")
    away = told(ou, "KafkaReachable", "KafkaUnreachable", within_seconds=30)
    assert away["message"] == "job telling: KafkaUnreachable: brokers do not answer"
    ou.tell("telling-1-driver", waiting="")
    assert told(ou, "KafkaReachable", "Reachable", within_seconds=30)["status"] == "True"
    eventually(lambda: checks(ou), until=lambda left: not left)


def test_a_resource_that_is_refused_is_not_checked(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(libraries=[{"name": "no-such-library", "version": "1.0"}]))
    eventually(
        lambda: ou.get("streamresource", "energy").get("status", {}),
        until=lambda status: condition(status, "Ready").get("reason") == "LibraryUnknown",
    )
    assert checks(ou) == []
    assert condition(ou.get("streamresource", "energy")["status"], "KafkaReachable") == {}
