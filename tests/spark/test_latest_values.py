"""Latest values in a real Redis."""

import threading
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from fixtures.redis import RedisServer
from streamjob_api.connections import Redis
from streamjob_runtime.dependencies import ping
from streamjob_runtime.sinks.redis import LatestValues, connect
from streamjob_runtime.waiting import Interrupted, Waits

ORG = "ou-latest"


@pytest.fixture
def values(redis_server: RedisServer) -> Iterator[LatestValues]:
    with redis_server.client() as client:
        for key in client.scan_iter(f"streamjob:latest:{ORG}:*"):
            client.delete(key)
    with connect(Redis(url=redis_server.url)) as client:
        yield LatestValues(client, ORG, Waits())


def newest(*rows: tuple[str, str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["asset", "point", "time", "value"], orient="row")


def held(redis_server: RedisServer, asset: str = "a", point: str = "M::P") -> tuple[int, object, str]:
    value = redis_server.latest(ORG)[asset, point]
    assert value["quality"] == 0
    return value["time"], value["value"], value["rev"]


def test_values_have_the_form_of_the_contract(redis_server: RedisServer, values: LatestValues) -> None:
    values.write(newest(("a {odd} Ä", "M::P", 1000, "1.5"), ("a {odd} Ä", "M::Q", 2000, "null")), "5.1.0")
    with redis_server.client() as client:
        found = client.hgetall(f"streamjob:latest:{ORG}:{{a {{odd}} Ä}}")
    assert found == {
        "M::P": '{"time":1000,"value":1.5,"quality":0,"rev":"5.1.0"}',
        "M::Q": '{"time":2000,"value":null,"quality":0,"rev":"5.1.0"}',
    }


def test_more_assets_than_are_called_at_once_all_arrive(redis_server: RedisServer, values: LatestValues) -> None:
    names = [f"ä{'x' * (number % 20)}-{number}" for number in range(5_001)]
    values.write(newest(*((name, "M::P", 1000, str(number)) for number, name in enumerate(names))), "5.1.0")
    latest = redis_server.latest(ORG)
    assert {asset: value["value"] for (asset, _), value in latest.items()} == {
        name: number for number, name in enumerate(names)
    }


def test_an_older_time_or_revision_never_wins(redis_server: RedisServer, values: LatestValues) -> None:
    values.write(newest(("a", "M::P", 2000, "1")), "5.2.9")
    values.write(newest(("a", "M::P", 1000, "2")), "5.3.0")  # a later attempt, an older time
    assert held(redis_server) == (2000, 1, "5.2.9")
    values.write(newest(("a", "M::P", 2000, "3")), "5.2.8")
    assert held(redis_server) == (2000, 1, "5.2.9")
    values.write(newest(("a", "M::P", 2000, "4")), "5.2.10")  # numbers, not texts
    assert held(redis_server) == (2000, 4, "5.2.10")
    values.write(newest(("a", "M::P", 2000, "5")), "5.10.0")
    assert held(redis_server) == (2000, 5, "5.10.0")
    values.write(newest(("a", "M::P", 2000, "6")), "6.1.0")  # a job that was created again
    assert held(redis_server) == (2000, 6, "6.1.0")
    values.write(newest(("a", "M::P", 3000, "7")), "5.1.0")
    assert held(redis_server) == (3000, 7, "5.1.0")


def test_a_write_that_is_tried_again_changes_nothing(redis_server: RedisServer, values: LatestValues) -> None:
    """As after a connection that broke when half of a micro-batch was written."""
    for _ in range(2):
        values.write(newest(("a", "M::P", 2000, "1")), "5.2.9")
    assert held(redis_server) == (2000, 1, "5.2.9")


def test_many_assets_are_written_in_chunks(redis_server: RedisServer, values: LatestValues) -> None:
    rows = [(f"a{number}", point, number, str(number)) for number in range(2500) for point in ("M::P", "M::Q")]
    values.write(newest(*rows), "5.1.0")
    assert len(redis_server.latest(ORG)) == 5000
    assert held(redis_server, "a2499", "M::Q") == (2499, 2499, "5.1.0")


@pytest.fixture
def guarded(redis_server: RedisServer) -> Iterator[RedisServer]:
    """A server that asks for a user and grants it nothing but PING and scripts."""
    with redis_server.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "ou", "on", ">right", "resetkeys", "~none", "-@all", "+ping", "+script", "+evalsha"
        )
        yield redis_server
        client.execute_command("ACL", "DELUSER", "ou")


def secret(folder: Path, password: str) -> Path:
    (folder / "username").write_text("ou\n")
    (folder / "password").write_text(password)
    return folder


def test_wrong_credentials_are_a_reason_to_wait_in_redis_own_words(guarded: RedisServer, tmp_path: Path) -> None:
    waits = Waits()
    with connect(Redis(url=guarded.url), secret(tmp_path, "wrong")) as client:
        assert not ping(client, waits)
    wait = waits.current()
    assert wait is not None
    assert wait.reason == "RedisDenied"
    assert "invalid username-password pair" in wait.message
    with connect(Redis(url=guarded.url), secret(tmp_path, "right")) as client:
        assert ping(client, waits)
    assert waits.current() is None


def test_a_denied_write_waits_until_the_driver_stops(guarded: RedisServer, tmp_path: Path) -> None:
    waits = Waits()
    threading.Timer(1.0, waits.abort).start()
    with connect(Redis(url=guarded.url), secret(tmp_path, "right")) as client, pytest.raises(Interrupted):
        LatestValues(client, ORG, waits).write(newest(("b", "M::P", 1, "1")), "5.1.0")
    wait = waits.current()
    assert wait is not None
    assert wait.reason == "RedisDenied"
