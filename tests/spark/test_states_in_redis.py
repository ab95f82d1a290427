"""Connections of devices and counts of sites in a real Redis."""

from collections.abc import Iterator
from typing import cast

import polars as pl
import pytest
from redis import Redis as Client

from fixtures.redis import RedisServer
from streamjob_api.connections import Redis
from streamjob_runtime.sinks.device_states import DeviceStates, site_key, state_key
from streamjob_runtime.sinks.redis import connect
from streamjob_runtime.templates.site_totals import SITE_STATES
from streamjob_runtime.waiting import Waits

ORG = "ou-states"
NO_SITES = SITE_STATES.to_frame()


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Client]:
    with redis_server.client() as client:
        for key in client.scan_iter(f"streamjob:*:{ORG}:*"):
            client.delete(key)
        yield client


@pytest.fixture
def states(redis_server: RedisServer) -> Iterator[DeviceStates]:
    with connect(Redis(url=redis_server.url)) as client:
        yield DeviceStates(client, ORG, Waits())


def devices(*rows: tuple[str, bool, int, int]) -> list[pl.DataFrame]:
    return [pl.DataFrame(rows, schema=["asset", "is_online", "since", "seen"], orient="row")]


def sites(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SITE_STATES, orient="row")


def held(client: Client, key: str) -> dict[str, str]:
    return cast("dict[str, str]", client.hgetall(key))


def test_hashes_have_the_form_of_the_contract(client: Client, states: DeviceStates) -> None:
    states.write(devices(("a {odd} Ä", True, 1000, 2000), ("b", False, 5, 4)), sites(("north 1", 3000, 7, 2)), "5.1.0")
    assert held(client, f"streamjob:state:{ORG}:{{a {{odd}} Ä}}") == {
        "connection": "online",
        "since": "1000",
        "lastSeen": "2000",
        "rev": "5.1.0",
    }
    assert held(client, f"streamjob:state:{ORG}:{{b}}")["connection"] == "offline"
    assert held(client, f"streamjob:site:{ORG}:{{north 1}}") == {
        "online": "7",
        "offline": "2",
        "since": "3000",
        "rev": "5.1.0",
    }


def test_an_older_revision_never_wins_and_the_same_one_may_be_written_again(
    client: Client, states: DeviceStates
) -> None:
    def written(connection: str, revision: str) -> str:
        states.write(devices(("a", connection == "online", 1, 1)), NO_SITES, revision)
        return held(client, state_key(ORG, "a"))["connection"]

    assert written("online", "5.2.9") == "online"
    assert written("offline", "5.2.8") == "online"
    assert written("offline", "5.1.100") == "online"
    assert written("offline", "5.2.9") == "offline"
    assert written("online", "5.2.10") == "online"  # numbers, not texts
    assert written("offline", "6.1.0") == "offline"  # a job that was created again


def test_of_several_states_of_a_site_the_last_one_stays(client: Client, states: DeviceStates) -> None:
    states.write([], sites(("n", 1, 1, 0), ("s", 1, 5, 5), ("n", 2, 0, 1)), "5.1.0")
    assert held(client, site_key(ORG, "n")) == {"online": "0", "offline": "1", "since": "2", "rev": "5.1.0"}


def test_many_devices_are_written_in_chunks(client: Client, states: DeviceStates) -> None:
    states.write(devices(*((f"a{number}", True, number, number) for number in range(2500))), NO_SITES, "5.1.0")
    assert sum(1 for _ in client.scan_iter(f"streamjob:state:{ORG}:*", count=1000)) == 2500
