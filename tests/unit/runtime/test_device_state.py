"""Device states, a few records at a time"""

import math
from typing import Any

import polars as pl
import pytest

from oracles.device_state import Moment
from streamjob_api.points import PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Surroundings, Template, for_job
from streamjob_runtime.templates.device_connections import TOLD_WITHIN
from streamjob_runtime.templates.site_counts import SITE_COUNTS
from streamjob_runtime.templates.site_totals import SiteTotals
from unit.runtime.device_state_bench import BASE, MINUTE, SECOND, WATCHED, Run, points_of
from unit.runtime.windows_bench import MemoryStore

A, B = "M::A", "M::B"
CONNECTION, SITE_STATE = "M::Connection", "M::SiteState"
NORTH = {"a": "north", "b": "north"}


def reading(asset: str = "a", *, time: int = 0, value: Any = 1, point: str = A) -> tuple[str, str, int, Any]:
    return (asset, point, BASE + time, value)


def connection(run: Run, asset: str, time: int) -> Any:
    return run.results.get((asset, CONNECTION, BASE + time))


def site(run: Run, name: str, time: int) -> Any:
    return run.results.get((name, SITE_STATE, BASE + time))


def test_a_device_is_online_from_its_first_record_on_by_its_arrival() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading(time=-1_000_000_000)]))  # a record of long ago that arrives now
    assert connection(run, "a", 0) == ("online", {"since": BASE, "lastSeen": BASE})
    assert run.deadline == BASE + 10 * MINUTE


@pytest.mark.parametrize("late_ms", [0, 1, 5 * MINUTE])
def test_it_is_offline_since_its_silence_is_long_enough_however_late_that_is_noticed(late_ms: int) -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading()]))
    run.restart()  # so that every shard looks, whatever its deadline
    run.at(Moment(BASE + 10 * MINUTE - 1))
    assert len(run.results) == 1
    run.at(Moment(BASE + 10 * MINUTE + late_ms))
    assert connection(run, "a", 10 * MINUTE) == ("offline", {"since": BASE + 10 * MINUTE, "lastSeen": BASE})
    assert run.deadline is None


def test_each_record_of_a_listed_point_begins_the_silence_anew() -> None:
    run = Run(WATCHED)
    for minute in (0, 9, 18, 27):
        run.at(Moment(BASE + minute * MINUTE, [reading(point=B)]))
    assert list(run.results) == [("a", CONNECTION, BASE)]
    assert run.deadline == BASE + 37 * MINUTE


def test_a_record_that_waited_while_nobody_looked_keeps_its_device_online() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading("a"), reading("b")]))
    run.restart()
    run.at(Moment(BASE + 30 * MINUTE, [reading("a")]))
    assert run.devices["a"] == (True, BASE, BASE + 30 * MINUTE)
    assert run.devices["b"] == (False, BASE + 10 * MINUTE, BASE)


def test_it_comes_back_with_its_next_record() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading()]))
    run.at(Moment(BASE + 10 * MINUTE))
    run.at(Moment(BASE + 11 * MINUTE, [reading()]))
    back = BASE + 11 * MINUTE
    assert connection(run, "a", 11 * MINUTE) == ("online", {"since": back, "lastSeen": back})


def test_nothing_is_written_while_nothing_changes() -> None:
    run = Run(WATCHED)
    for minute in range(20):
        run.at(Moment(BASE + minute * MINUTE, [reading("a"), reading("b")], NORTH))
    # Both come online at once, which is one change of their site.
    assert [len(keys) for keys in run.emissions] == [3] + [0] * 19


def test_redis_hears_of_a_device_that_goes_on_sending_ten_times_within_its_silence() -> None:
    run = Run({**WATCHED, "offlineAfter": "1m"})
    for second in range(61):
        run.at(Moment(BASE + second * SECOND, [reading(time=second)]))
    assert TOLD_WITHIN == 10
    assert run.writes["CONNECTIONS"] == 11  # at 0, 6, ... 60
    assert run.writes["LATEST"] == 61


def test_the_latest_value_has_the_highest_time_and_of_equals_is_the_last() -> None:
    run = Run({"points": [A, B]})
    run.at(
        Moment(BASE, [reading(time=5, value=1), reading(time=9, value=2), reading(time=9, value=3), reading(time=7)])
    )
    assert run.latest == {("a", A): (BASE + 9, 3)}
    run.at(Moment(BASE, [reading(time=8, value=4), reading(point=B, time=1, value="on")]))
    assert run.latest == {("a", A): (BASE + 9, 3), ("a", B): (BASE + 1, "on")}
    run.at(Moment(BASE, [reading(time=9, value=5), reading(point=B, time=2, value=True)]))
    assert run.latest == {("a", A): (BASE + 9, 5), ("a", B): (BASE + 2, True)}


def test_a_record_that_repeats_the_latest_value_is_no_news() -> None:
    run = Run({"points": [A]})
    for value in (1, 1, 1.0, "x", "x"):
        run.at(Moment(BASE, [reading(value=value)]))
    assert run.writes == {"LATEST": 3}


def test_jobs_that_calculate_a_point_write_its_latest_value_themselves() -> None:
    run = Run(WATCHED, calculated=frozenset({PointRef.parse(B)}))
    run.at(Moment(BASE, [reading("a", point=B), reading("b")]))
    assert set(run.latest) == {("b", A)}
    assert run.devices["a"][0]  # it shows nevertheless that its device is there


def test_records_of_other_points_show_nothing() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading(point="M::C"), reading(point="N::A")]))
    assert (run.results, run.latest, run.devices) == ({}, {}, {})


def test_a_site_counts_its_devices_over_all_shards() -> None:
    run = Run(WATCHED, shards=64)
    names = [f"device-{number}" for number in range(100)]
    run.at(Moment(BASE, [reading(name) for name in names], dict.fromkeys(names, "north")))
    assert site(run, "north", 0) == (100, {"online": 100, "offline": 0})
    run.at(Moment(BASE + MINUTE, [reading(name) for name in names[:70]], dict.fromkeys(names, "north")))
    run.at(Moment(BASE + 10 * MINUTE, [], dict.fromkeys(names, "north")))
    assert site(run, "north", 10 * MINUTE) == (70, {"online": 70, "offline": 30})
    assert run.sites == {"north": (70, 30, BASE + 10 * MINUTE)}


def test_each_time_of_a_change_has_its_count_though_they_come_together() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading("a")], NORTH))
    run.at(Moment(BASE + MINUTE, [reading("b")], NORTH))
    run.at(Moment(BASE + 60 * MINUTE, [reading("a")], NORTH))
    assert site(run, "north", 10 * MINUTE) is None  # a waited: it is online all the time
    assert site(run, "north", 11 * MINUTE) == (1, {"online": 1, "offline": 1})
    assert site(run, "north", 60 * MINUTE) is None


def test_a_device_that_changes_its_site_moves_with_its_next_record() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading("a"), reading("b")], NORTH))
    moved = NORTH | {"a": "south"}
    run.at(Moment(BASE + 1, [reading("b")], moved))
    assert "south" not in run.sites
    run.at(Moment(BASE + 2, [reading("a")], moved))
    assert site(run, "north", 2) == (1, {"online": 1, "offline": 0})
    assert site(run, "south", 2) == (1, {"online": 1, "offline": 0})
    run.at(Moment(BASE + 3, [reading("b")], moved | {"b": "south"}))
    assert site(run, "north", 3) == (0, {"online": 0, "offline": 0})


def test_devices_that_change_places_change_no_count() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading("a"), reading("b")], {"a": "north", "b": "south"}))
    run.at(Moment(BASE + 1, [reading("a"), reading("b")], {"a": "south", "b": "north"}))
    assert run.emissions[-1] == []


@pytest.mark.parametrize(
    ("held", "name"), [("north", "north"), (" north\n", "north"), (7, "7"), (7.0, "7"), ("7", "7"), (1.5, "1.5")]
)
def test_texts_and_numbers_name_sites(held: Any, name: str) -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading("a")], {"a": held}))
    assert list(run.sites) == [name]
    assert +run.counts == {}


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (None, "attributeMissing"),
        *((held, "attributeInvalid") for held in (True, " ", ["north"], "x" * 257)),
        *((held, "attributeInvalid") for held in (math.inf, -math.inf, math.nan, "a\0b", "a\nb")),
    ],
)
def test_a_device_without_a_site_is_counted_once_and_belongs_to_none(held: Any, reason: str) -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE, [reading("a"), reading("b")], {"a": held, "b": "north"}))
    run.at(Moment(BASE + 1, [reading("a")], {"a": held}))
    assert run.sites == {"north": (1, 0, BASE)}
    assert +run.counts == {reason: 1}
    assert connection(run, "a", 0)[0] == "online"
    run.at(Moment(BASE + 2, [reading("a")], NORTH))
    run.at(Moment(BASE + 3, [reading("a")], {"a": held}))
    assert +run.counts == {reason: 2}
    assert run.sites == {"north": (1, 0, BASE + 3)}


def test_after_a_start_no_site_is_told_before_all_shards_are_known() -> None:
    def counts(*rows: tuple[str, int | None, int, int]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=SITE_COUNTS, orient="row")

    totals = SiteTotals(2)
    assert totals.take([(0, counts(("n", None, 3, 1), ("n", 5, 1, 0)))]).is_empty()
    assert totals.take([(0, counts(("n", None, 2, 2), ("n", 7, -1, 1)))]).is_empty()
    states = totals.take([(1, counts(("n", None, 10, 0)))])
    assert states.rows() == [("n", 5, 13, 1), ("n", 7, 12, 2)]
    assert totals.take([(1, counts(("n", None, 10, 0))), (0, counts(("n", None, 2, 2)))]).is_empty()


def test_shards_tell_their_sites_where_a_count_changed_and_with_a_tick() -> None:
    run = Run(WATCHED)
    told = []
    for minute in range(3):
        run.at(Moment(BASE + minute * MINUTE, [reading("a")], NORTH))
        told.append(run.writes["SITES"])
    run.restart()
    run.at(Moment(BASE + 3 * MINUTE))
    assert [*told, run.writes["SITES"]] == [3, 3, 3, 4]  # the first tick tells too
    run.at(Moment(BASE + 4 * MINUTE, [reading("b")], NORTH))
    assert site(run, "north", 4 * MINUTE) == (2, {"online": 2, "offline": 0})


def test_a_job_without_sites_tells_none() -> None:
    run = Run({name: value for name, value in WATCHED.items() if not name.startswith("site")})
    run.at(Moment(BASE, [reading("a")], NORTH))
    assert run.writes["SITES"] == 0
    assert connection(run, "a", 0)[0] == "online"


def test_a_connection_has_the_path_of_its_own_model() -> None:
    folds = template_of(points=["A::x", "B::y"], connectionOutput="A::Conn", siteAttribute=None, siteOutput=None)
    store = MemoryStore()

    def paths(now_ms: int, *rows: tuple[str, str, str]) -> list[tuple[str, str, str]]:
        readings = [(asset, ref, BASE, 1) for asset, ref, _ in rows]
        points = points_of(readings).with_columns(model_path=pl.Series([path for _, _, path in rows], dtype=pl.String))
        combiner = folds.combiner(Shards.of(8))
        combiner.add(points)
        told = folds.fold(store, list(combiner.finish().blocks.values()), now_ms).results.sort("asset")
        return told.select("asset", "model", "model_path").rows()

    first = [("a", "B::y", "/Root/B"), ("b", "A::x", "/Root/A"), ("b", "B::y", "/Root/B")]
    assert paths(BASE, *first) == [("a", "A", "/A"), ("b", "A", "/Root/A")]
    again = [("a", "A::x", "/New/A"), ("b", "B::y", "/Root/B")]
    assert paths(BASE + 60 * MINUTE, *again) == []  # they came back before anybody looked
    folds.fold(store, [], BASE + 120 * MINUTE)
    back = [("a", "B::y", "/Root/B"), ("b", "B::y", "/Root/B")]
    assert paths(BASE + 130 * MINUTE, *back) == [("a", "A", "/New/A"), ("b", "A", "/Root/A")]


def test_records_of_one_point_through_several_partitions_are_counted() -> None:
    run = Run(WATCHED)
    run.at(Moment(BASE), partitions=[[reading("a"), reading("b")], [reading("a", time=1)], [reading("a", point=B)]])
    assert run.counts == {"severalPartitions": 1, "attributeMissing": 2}


def template_of(**changes: Any) -> Template:
    block = {name: value for name, value in {**WATCHED, **changes}.items() if value is not None}
    template = {"name": "device-state", "version": "1.0"}
    return for_job(StreamJobSpec.model_validate({"template": template, "deviceState": block}), Surroundings())


def test_the_clock_is_used_where_connections_are_watched() -> None:
    unwatched = dict.fromkeys(["offlineAfter", "connectionOutput", "siteAttribute", "siteOutput"])
    assert [template_of().uses_clock, template_of(**unwatched).uses_clock] == [True, False]


def test_the_end_of_an_input_takes_no_device_offline() -> None:
    folded = template_of().close(MemoryStore())
    assert (folded.results.height, folded.counts) == (0, {})


def test_state_goes_on_with_the_same_configuration_alone() -> None:
    same = template_of(points=[B, A]).identity
    others = [
        template_of(points=[A]),
        template_of(offlineAfter="11m"),
        template_of(connectionOutput="M::Other"),
        template_of(siteAttribute="M::Other"),
        template_of(siteOutput=None),
    ]
    assert template_of().identity == same
    assert len({same, *(other.identity for other in others)}) == 6
