"""Records beside what another host says of them, over real sockets."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from fixtures.http_host import Host
from streamjob_api.permissions import HttpCalls, Permissions
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.http_answers import HttpHosts
from streamjob_runtime.http_calls import HttpClient
from streamjob_runtime.templates import Surroundings
from streamjob_runtime.templates.hosts import Asking, Request
from unit.calculators.pipelines import START, Outcome, Sent, job, run, stage


@pytest.fixture
def host() -> Iterator[Host]:
    with Host.serving() as served:
        yield served


def hosts(host: Host, clock: Callable[[], float] = time.monotonic) -> HttpHosts:
    return HttpHosts(HttpClient(HttpCalls(hosts=[host.name]), None, lambda: False), clock)


def asked(host: Host, *batches: list[Sent], path: str = "/a", **parameters: Any) -> Outcome:
    surroundings = Surroundings(hosts=hosts(host))
    client = stage("internal-http-client", input="M::A", output="M::B", url=f"http://{host.name}{path}")
    client["parameters"] |= parameters
    return run([client], *batches, surroundings=surroundings)


def test_what_a_record_is_of_stands_in_the_request(host: Host) -> None:
    found = asked(
        host,
        [Sent("A", 1, 2.5, "m/1 ä"), Sent("A", 2, 3, "m/1 ä")],
        path="/assets/${record::assetId}",
        query={"at": "${record::time}", "of": "${record::modelId}.${record::pointId}"},
        result="path",
    )
    assert [json.loads(record["attr"]["internalHttpClient"]) for record in found.records] == [
        f"/assets/m%2F1%20%C3%A4?at={START + number}&of=M.A" for number in (1, 2)
    ]
    assert found.values("pointId", "value") == [("B", 2.5), ("B", 3)]


def test_numbers_of_a_body_stay_numbers(host: Host) -> None:
    body = {"value": "${record::value}", "told": "is ${record::value}", "at": "${record::time}", "fixed": "x"}
    found = asked(host, [Sent("A", 1, 2.5), Sent("A", 2, 3)], method="POST", body=body, result="sent")
    assert [json.loads(record["attr"]["internalHttpClient"]) for record in found.records] == [
        {"value": value, "told": f"is {value}", "at": START + time, "fixed": "x"} for time, value in ((1, 2.5), (2, 3))
    ]


@pytest.mark.parametrize(
    ("result", "kind", "value"),
    [("data.limit", "double", 7.5), ("data.count", "int", 3), ("data.name", "string", "x"), ("data.on", "bool", True)],
)
def test_the_answer_is_the_value(host: Host, result: str, kind: str, value: Any) -> None:
    found = asked(host, [Sent("A", 1, 5)], result=result, outputType=kind, **{"as": "value"})
    assert found.values("pointId", "time", "value") == [("B", 1, value)]


def test_equal_requests_are_made_once_and_answers_kept(host: Host) -> None:
    found = asked(host, [Sent("A", number, 5) for number in range(100)], [Sent("A", 200, 5), Sent("A", 201, 5, "m2")])
    assert (len(found.records), host.asked) == (102, ["GET /a"])


def test_records_without_an_answer_fail_and_the_cause_tells_no_address(host: Host) -> None:
    found = asked(host, [Sent("A", 1, 5)], path="/no/${record::assetId}")
    assert (found.records, found.counted["failed"]) == ([], 1)
    found = asked(host, [Sent("A", 1, 5), Sent("A", 2, 5)], result="data.nothing")
    assert found.counted["failed"] == 2
    found = asked(host, [Sent("A", 1, 5)], result="data.name", **{"as": "value"})
    assert found.counted["failed"] == 1


def test_answers_are_forgotten_in_time_and_failures_at_once(host: Host) -> None:
    now = [0.0]
    known, asking = hosts(host, clock=lambda: now[0]), Asking(5, retries=0, parallelism=2, kept_seconds=60)
    requests = [Request("GET", f"http://{host.name}/{path}") for path in ("a", "no", "a")]
    assert [answer.cause for answer in known.ask(requests, asking)] == [None, "answered 404", None]
    now[0] = 59
    known.ask(requests, asking)
    assert sorted(host.asked) == ["GET /a", "GET /no", "GET /no"]
    now[0] = 60
    known.ask(requests, asking)
    assert sorted(host.asked).count("GET /a") == 2


def test_a_host_that_is_not_listed_is_never_asked(host: Host) -> None:
    client = stage("internal-http-client", input="M::A", output="M::B", url=f"http://{host.name}/a")
    with pytest.raises(InvalidConfiguration, match="does not list"):
        run([client], [Sent("A", 1, 5)])
    pipeline = job([client]).pipeline
    assert pipeline is not None
    (told,) = pipeline.not_allowed(Permissions())
    assert told == (
        f"spec.pipeline.stages[0].parameters.url: asks '{host.name}', which spec.pipelines.http.hosts does not list; "
        "ask for it"
    )
    assert not [*pipeline.not_allowed(Permissions(http=HttpCalls(hosts=[host.name])))]
    assert host.asked == []


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"url": "ftp://host/a"}, "is no http or https address with a host"),
        ({"url": "http://${record::assetId}/a"}, "the host is the same for all records"),
        ({"url": "http://user:pw@host/a"}, "the host is the same for all records"),
        ({"url": "http://host/a?b=c"}, "has a query; write its parameters into query"),
        ({"url": "http://host/${record::asset}"}, "a record has no 'asset'; it has assetId, modelId"),
        ({"url": "http://host/a", "body": {"a": "1"}}, "GET sends nothing"),
        ({"url": "http://host:99999/a"}, "is no http or https address with a host"),
    ],
)
def test_what_cannot_be_asked_is_told(parameters: dict[str, Any], fault: str) -> None:
    client = stage("internal-http-client", input="M::A", output="M::B")
    with pytest.raises(ValidationError, match=fault):
        job([client | {"parameters": {**client["parameters"], **parameters}}])
