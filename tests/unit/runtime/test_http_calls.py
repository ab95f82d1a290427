"""Requests to other hosts, against a server on a real socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.http_host import Host
from streamjob_api.permissions import HttpCalls
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.http_calls import LARGEST_ANSWER, HttpClient
from streamjob_runtime.templates.hosts import Answer, Asking, NoHosts, Request
from streamjob_runtime.waiting import Interrupted

ASKING = Asking(timeout_seconds=5, retries=10, parallelism=2, kept_seconds=0)


@pytest.fixture
def host() -> Iterator[Host]:
    with Host.serving() as served:
        yield served


def _client(host: Host, auth_dir: Path | None, *, is_to_stop: bool = False) -> HttpClient:
    return HttpClient(HttpCalls(hosts=[host.name]), auth_dir, lambda: is_to_stop)


def _ask(host: Host, auth_dir: Path, *, retries: int = 0, count: int = 1) -> list[Answer]:
    requests = [Request("GET", f"http://{host.name}/limits?asset=a{number}") for number in range(count)]
    return _client(host, auth_dir).ask(requests, Asking(0.3, retries, parallelism=2, kept_seconds=0))


def test_an_answer_is_read(host: Host, tmp_path: Path) -> None:
    host.answers = [(200, b'{"limit": 5}')]
    assert _ask(host, tmp_path) == [Answer({"limit": 5})]
    assert (host.asked, host.authorizations) == (["GET /limits?asset=a0"], [None])


def test_many_are_answered_in_their_order_by_few_connections(host: Host, tmp_path: Path) -> None:
    answers = _ask(host, tmp_path, count=100)
    assert [answer.document["path"] for answer in answers] == [f"/limits?asset=a{number}" for number in range(100)]
    assert host.connections <= 2


def test_what_an_address_has_encoded_stays_so(host: Host) -> None:
    request = Request("GET", f"http://{host.name}/a%2Fb%20%C3%A4/..%2f?x=%26+1")
    _client(host, None).ask([request], ASKING)
    assert host.asked == ["GET /a%2Fb%20%C3%A4/..%2f?x=%26+1"]


def test_a_changed_token_counts_with_the_next_call(host: Host, tmp_path: Path) -> None:
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        _ask(host, tmp_path)
    assert host.authorizations == ["Bearer first", "Bearer second"]


def test_a_name_and_a_password_are_sent(host: Host, tmp_path: Path) -> None:
    (tmp_path / "username").write_text("ann")
    (tmp_path / "password").write_text("secret")
    _ask(host, tmp_path)
    assert host.authorizations == ["Basic YW5uOnNlY3JldA=="]


@pytest.mark.parametrize(
    ("key", "content", "cause"),
    [
        ("token", b"first\nsecond", "could not be asked: its secret cannot be sent"),
        ("token", b"\xff", "could not be asked: its secret cannot be read"),
        ("username", b"a:b", "could not be asked: its secret cannot be read"),
        ("ca.crt", b"none", "could not be asked: its secret cannot be read"),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_told(
    host: Host, tmp_path: Path, key: str, content: bytes, cause: str
) -> None:
    (tmp_path / key).write_bytes(content)
    assert _ask(host, tmp_path, retries=2) == [Answer(cause=cause)]
    assert host.asked == []


@pytest.mark.parametrize(
    ("status", "content", "cause", "attempts"),
    [
        (503, b"", "answered 503", 2),
        (429, b"", "answered 429", 2),
        (404, b"", "answered 404", 1),
        (302, b"{}", "answered 302", 1),
        (200, b"NaN", "answered with no JSON", 1),
        (200, b"<html>", "answered with no JSON", 1),
        (200, b"1" * (LARGEST_ANSWER + 1), "answered with more than 64 KiB", 1),
    ],
)
def test_a_failure_is_told_in_words(
    host: Host, tmp_path: Path, status: int, content: bytes, cause: str, attempts: int
) -> None:
    host.answers = [(status, content)]
    assert _ask(host, tmp_path, retries=1) == [Answer(cause=cause)]
    assert len(host.asked) == attempts


def test_the_longest_answer_is_read(host: Host, tmp_path: Path) -> None:
    host.answers = [(200, b'"' + b"x" * (LARGEST_ANSWER - 2) + b'"')]
    assert len(_ask(host, tmp_path)[0].document) == LARGEST_ANSWER - 2


def test_a_server_that_comes_back_is_asked_again(host: Host, tmp_path: Path) -> None:
    host.answers = [(503, b""), (200, b"7")]
    assert _ask(host, tmp_path, retries=2) == [Answer(7)]


def test_an_answer_that_drips_ends_in_time(host: Host, tmp_path: Path) -> None:
    host.answers, host.drip_seconds = [(200, b"1" * 100)], 0.1
    assert _ask(host, tmp_path) == [Answer(cause="did not answer within 0.3 s")]


def test_nobody_listens(tmp_path: Path) -> None:
    with Host() as closed:
        pass
    assert _ask(closed, tmp_path) == [Answer(cause="could not be reached")]


def test_a_stop_ends_the_attempts(host: Host) -> None:
    host.answers = [(503, b"")]
    with pytest.raises(Interrupted):
        _client(host, None, is_to_stop=True).ask([Request("GET", f"http://{host.name}/")], ASKING)
    assert len(host.asked) == 1


def test_a_stop_lets_what_is_answered_end(host: Host) -> None:
    host.answers = [(200, b"7")]
    request = Request("GET", f"http://{host.name}/")
    assert _client(host, None, is_to_stop=True).ask([request], ASKING) == [Answer(7)]


def test_where_one_host_is_not_listed_none_is_asked(host: Host) -> None:
    requests = [Request("GET", f"http://{name}/") for name in (host.name, "other")]
    with pytest.raises(InvalidConfiguration):
        _client(host, None).ask(requests, ASKING)
    with pytest.raises(InvalidConfiguration):
        NoHosts().ask(requests, ASKING)
    assert host.asked == []


@pytest.mark.parametrize(
    ("url", "is_listed"),
    [
        ("http://api/x", True),
        ("https://API/x", True),
        ("https://api:443/x", True),
        ("http://api:8080/x", False),
        ("http://b:8080/x", True),
        ("http://b/x", False),
        ("http://api@b/x", False),
        ("http://169.254.169.254/latest", False),
        ("ftp://api/x", False),
        ("http://api:none/x", False),
    ],
)
def test_a_host_counts_with_its_port(url: str, *, is_listed: bool) -> None:
    assert HttpCalls(hosts=["api", "b:8080"]).allows(url) == is_listed
