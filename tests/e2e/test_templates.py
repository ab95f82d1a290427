"""One job of every template on the real cluster: each result, each state and each total is the one reckoned by hand."""

from __future__ import annotations

import pytest

from e2e import expected
from e2e.every_template import Outcome, differences, of_point
from e2e.expected import D4, DIFFERENCE, RESULTS, at
from e2e.records import newest

pytestmark = pytest.mark.timeout(1800)

ONLINE = {name: results for name, results in RESULTS.items() if name != "replayed"}


@pytest.mark.parametrize("job", ONLINE)
def test_the_results_in_kafka_are_those_reckoned_by_hand(everything: Outcome, job: str) -> None:
    points = {point for _, point, _ in RESULTS[job]}
    found = {key: value for key, value in newest(everything.online).items() if key[1] in points}
    assert found == RESULTS[job]


def test_what_is_replayed_goes_to_the_offline_topic_alone_though_its_time_is_to_come(everything: Outcome) -> None:
    assert newest(everything.offline) == RESULTS["replayed"]
    assert everything.statuses["replayed"]["throughput"]["totalRefused"] == 0
    assert {key[1] for key in newest(everything.online)}.isdisjoint({"MeanReadingHour"})


@pytest.mark.parametrize("asset", DIFFERENCE)
def test_the_chain_ends_with_the_difference_of_the_last_extremes_at_each_tick(everything: Outcome, asset: str) -> None:
    times, values = zip(*differences(everything.online, asset), strict=True)
    assert values[-2:] == (DIFFERENCE[asset], DIFFERENCE[asset])
    assert all(time % 5000 == 0 for time in times)
    assert everything.statuses["difference"]["attempt"] <= 2


@pytest.mark.parametrize("asset", expected.ATTRIBUTES)
def test_a_device_was_online_and_is_offline_after_its_silence(everything: Outcome, asset: str) -> None:
    (online_at, online), (offline_at, offline) = of_point(everything.online, asset, "Connection")
    assert (online, offline) == ("online", "offline")
    assert offline_at - online_at >= 15_000
    assert everything.devices[asset]["connection"] == "offline"
    assert int(everything.devices[asset]["since"]) == offline_at


def test_a_sites_devices_are_counted(everything: Outcome) -> None:
    counts = [value for _, value in of_point(everything.online, expected.SITE, "SiteState")]
    assert counts[-1] == 0
    assert max(counts) == len(expected.ATTRIBUTES)
    assert (everything.site["online"], everything.site["offline"]) == ("0", "2")


def test_redis_has_the_latest_value_of_inputs_and_results(everything: Outcome) -> None:
    found = everything.latest["m-1"]
    assert found["Reading", at(f"{D4}T10:30")] == 99
    assert found["A", at(f"{D4}T10:04")] == 20
    latest: dict[tuple[str, str], tuple[int, float]] = {}
    for (asset, point, time), value in sorted((item for job in ONLINE.values() for item in job.items()), key=_time):
        latest[asset, point] = (time, value)
    for (asset, point), (time, value) in latest.items():
        assert everything.latest[asset][point, time] == value


def _time(item: tuple[tuple[str, str, int], float]) -> int:
    return item[0][2]


@pytest.mark.parametrize("job", [*ONLINE, "devices"])
def test_the_totals_in_the_status_are_those_of_the_records(everything: Outcome, job: str) -> None:
    told = everything.statuses[job]["throughput"]
    assert told["totalIn"] == sum(len(values) for _, _, values in expected.SERIES)
    assert told["totalMalformed"] == 0
    assert told["totalRefused"] == 0
    assert (told["totalLate"], told["totalOutside"]) == NOT_USED.get(job, (0, 0))


# Policies that share input, threshold and windows count a record once. A slope outside is a record outside.
NOT_USED = {"extremes": (1, 1), "meter-energy": (0, 1), "growth": (0, 1)}


def test_no_more_drivers_ran_at_once_than_the_ou_has_capacity_for(everything: Outcome) -> None:
    assert everything.most_admitted == 3
    assert {status["restarts"]["total"] for status in everything.statuses.values()} == {0}
