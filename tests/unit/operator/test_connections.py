"""What is said of an OU's Kafka and Redis, and when a pod asks them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from streamjob_api.check import Answer, CheckOrder, CheckWords
from streamjob_api.faults import InvalidSpec
from streamjob_api.progress import DriverState, Progress
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator.extracts import pod_of
from streamjob_operator.observed import Manifest, Pod, Resource
from streamjob_operator.plan.check import check_pod
from streamjob_operator.settings import DriverSettings
from streamjob_operator.telling.conditions import settled
from streamjob_operator.telling.connections import Said, conditions, connections, heard, step
from unit.operator.builders import NOW, resource

REDIS = {"url": "redis://redis:6379/0", "authSecret": "redis-client"}
GOOD = CheckWords(kafka=Answer(reachable=True, reason="Reachable"), redis=Answer(reachable=True, reason="Reachable"))


def spec_of(of: Resource) -> StreamResourceSpec:
    assert not isinstance(of.spec, InvalidSpec)
    return of.spec


def planned(of: Resource) -> Manifest:
    return check_pod(of, spec_of(of), "runtime:1", DriverSettings())


def check(of: Resource, words: CheckWords | None = None, *, ended: bool = True, age: float = 5) -> Pod:
    body = planned(of)
    body["metadata"] |= {"uid": "check-1", "creationTimestamp": (NOW - timedelta(seconds=age)).isoformat()}
    told = words.model_dump_json(by_alias=True) if words else ""
    state: Manifest = {"terminated": {"exitCode": 0 if words else 1, "message": told, "finishedAt": NOW.isoformat()}}
    body["status"] = {
        "phase": "Succeeded" if ended else "Running",
        "containerStatuses": [{"name": "check", "state": state if ended else {"running": {}}}],
    }
    return pod_of(body)


def driver(reason: str = "", state: DriverState = DriverState.RUNNING) -> Progress:
    return Progress(
        state=state, reason=reason, message="in the driver's words", attempt=1, started_at=NOW, observed_at=NOW
    )


def said(of: Resource, found: Pod | None = None, *drivers: tuple[str, Progress]) -> dict[str, tuple[bool | None, str]]:
    told = connections(of, spec_of(of), found, heard(drivers))
    return {kind: (each.holds, each.reason) for kind, each in told.items()}


def written(of: Resource, found: Pod | None = None, *drivers: tuple[str, Progress], after: float = 0) -> Resource:
    """The resource with its conditions as they are written now."""
    told = connections(of, spec_of(of), found, heard(drivers))
    added = settled(of.status.conditions, conditions(of, told, NOW + timedelta(seconds=after)))
    return replace(of, status=of.status.model_copy(update={"conditions": added}))


def test_nothing_is_known_before_anybody_was_asked() -> None:
    assert said(resource()) == {"KafkaReachable": (None, "Checking")}
    assert said(resource(redis=REDIS)).keys() == {"KafkaReachable", "RedisReachable"}


def test_the_check_answers_for_both() -> None:
    of = resource(redis=REDIS)
    denied = GOOD.model_copy(update={"redis": Answer(reachable=False, reason="RedisDenied", message="WRONGPASS")})
    assert said(of, check(of, denied)) == {
        "KafkaReachable": (True, "Reachable"),
        "RedisReachable": (False, "RedisDenied"),
    }


def test_what_was_said_of_this_generation_stays_when_the_pod_is_gone_and_not_of_the_next_one() -> None:
    known = written(resource(), check(resource(), GOOD))
    assert said(known) == {"KafkaReachable": (True, "Reachable")}
    assert said(replace(known, generation=2)) == {"KafkaReachable": (None, "Checking")}


def test_a_driver_that_cannot_reach_kafka_outweighs_those_that_can_and_the_check() -> None:
    away = driver("KafkaUnreachable", DriverState.WAITING)
    of = resource(redis=REDIS)
    found = said(of, check(of, GOOD), ("a", driver()), ("b", away), ("c", driver()))
    assert found == {"KafkaReachable": (False, "KafkaUnreachable"), "RedisReachable": (True, "Reachable")}
    told = connections(of, spec_of(of), None, heard([("b", away)]))["KafkaReachable"]
    assert told == Said(False, "KafkaUnreachable", "job b: in the driver's words")


def test_a_driver_that_works_makes_it_true_again() -> None:
    known = written(resource(), None, ("a", driver("KafkaDenied", DriverState.WAITING)))
    assert said(known) == {"KafkaReachable": (False, "KafkaDenied")}
    assert said(known, None, ("a", driver())) == {"KafkaReachable": (True, "Reachable")}


def test_a_driver_that_starts_says_nothing_of_connections() -> None:
    assert heard([("a", driver(state=DriverState.STARTING))]) == {}


def test_a_pod_asks_once_for_each_generation() -> None:
    of = resource()
    assert step(written(of), [], written(of).status.conditions, None, NOW).start
    asking = check(of, ended=False)
    assert step(of, [asking], written(of).status.conditions, None, NOW).remove == ()
    known = written(of, check(of, GOOD))
    done = step(known, [check(of, GOOD)], known.status.conditions, NOW, NOW)
    assert (done.remove, done.start, done.again_in) == ((check(of, GOOD),), False, None)
    assert not step(known, [], known.status.conditions, None, NOW).start
    later = replace(known, generation=2)
    assert step(later, [], written(later).status.conditions, NOW, NOW + timedelta(seconds=20)).start


@pytest.mark.parametrize(("since", "pause"), [(0, 15), (100, 50), (5000, 300)])
def test_what_cannot_be_reached_is_asked_again_with_longer_and_longer_pauses(since: float, pause: float) -> None:
    of = resource()
    bad = GOOD.model_copy(update={"kafka": Answer(reachable=False, reason="KafkaUnreachable")})
    known = written(of, check(of, bad), after=-since)
    waits = step(known, [], known.status.conditions, NOW, NOW)
    assert (waits.start, waits.again_in) == (False, pause)
    ended = NOW - timedelta(seconds=pause)
    assert step(known, [], known.status.conditions, ended, NOW).start


def test_no_pod_asks_while_drivers_tell() -> None:
    known = written(resource(), None, ("a", driver()))
    assert not step(known, [], known.status.conditions, None, NOW).start


def test_a_check_without_an_answer_says_so_and_one_that_never_begins_is_removed() -> None:
    of = resource()
    assert said(of, check(of)) == {"KafkaReachable": (None, "CheckFailed")}
    stuck = check(of, ended=False, age=1000)
    assert step(of, [stuck], written(of).status.conditions, None, NOW).remove == (stuck,)


def test_a_check_of_a_former_generation_is_removed_and_not_heard() -> None:
    later = replace(resource(), generation=2)
    old = check(resource(), GOOD)
    assert step(later, [old], written(later).status.conditions, None, NOW).remove == (old,)


def test_the_pod_holds_no_capacity_no_token_and_no_secret_values() -> None:
    of = resource(redis=REDIS, kafka={"bootstrapServers": "kafka:9092", "authSecret": "kafka-client"})
    pod = planned(of)
    (container,) = pod["spec"]["containers"]
    assert pod["metadata"]["name"] == "energy-check-1"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == of.uid
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume} == {
        "kafka-client",
        "redis-client",
    }
    order = CheckOrder.model_validate_json(container["env"][0]["value"])
    assert (order.topic, order.org_id) == ("MEASURE_POINT_ORIGIN_o1", "o1")
    assert check(of, GOOD).cu == 0
