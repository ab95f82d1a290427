"""Requests to other hosts, against a server on a real socket."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streamjob_api.permissions import HttpCalls
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.http_calls import LARGEST_ANSWER, CallFailed, HttpClient, Request
from streamjob_runtime.waiting import Interrupted, Waits


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.seen: list[tuple[str, str, str | None]] = []
        self.drip_seconds = 0.0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, self.headers["Authorization"]))
        status, content = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        for byte in content if self.server.drip_seconds else b"":
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                return
            time.sleep(self.server.drip_seconds)
        if not self.server.drip_seconds:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def _client(server: _Server, auth_dir: Path, retries: int = 0, waits: Waits | None = None) -> HttpClient:
    return HttpClient(HttpCalls(hosts=[server.host]), 0.3, retries, auth_dir, waits or Waits())


def _request(server: _Server) -> Request:
    return Request("GET", f"http://{server.host}/limits?asset=a1")


def test_an_answer_is_read(server: _Server, tmp_path: Path) -> None:
    server.answers = [(200, b'{"limit": 5}')]
    assert _client(server, tmp_path).ask(_request(server)) == {"limit": 5}
    assert server.seen == [("GET", "/limits?asset=a1", None)]


def test_a_changed_token_counts_with_the_next_call(server: _Server, tmp_path: Path) -> None:
    server.answers = [(200, b"1")]
    client = _client(server, tmp_path)
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        client.ask(_request(server))
    assert [seen[2] for seen in server.seen] == ["Bearer first", "Bearer second"]


def test_a_name_and_a_password_are_sent(server: _Server, tmp_path: Path) -> None:
    server.answers = [(200, b"1")]
    (tmp_path / "username").write_text("ann")
    (tmp_path / "password").write_text("secret")
    _client(server, tmp_path).ask(_request(server))
    assert server.seen[0][2] == "Basic YW5uOnNlY3JldA=="


def test_a_token_that_no_header_can_hold_is_not_told(server: _Server, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\nsecond")
    with pytest.raises(CallFailed, match=r"^could not be asked: its secret cannot be sent$"):
        _client(server, tmp_path).ask(_request(server))


@pytest.mark.parametrize(
    ("status", "content", "cause", "attempts"),
    [
        (503, b"", "answered 503", 2),
        (404, b"", "answered 404", 1),
        (302, b"{}", "answered 302", 1),
        (200, b"NaN", "answer is no JSON", 1),
        (200, b"<html>", "answer is no JSON", 1),
        (200, b"1" * (LARGEST_ANSWER + 1), "answer is longer than 64 KiB", 1),
    ],
)
def test_a_failure_is_told_in_words(
    server: _Server, tmp_path: Path, status: int, content: bytes, cause: str, attempts: int
) -> None:
    server.answers = [(status, content)]
    with pytest.raises(CallFailed) as failed:
        _client(server, tmp_path, retries=1).ask(_request(server))
    assert (str(failed.value), len(server.seen)) == (cause, attempts)


def test_a_server_that_comes_back_is_asked_again(server: _Server, tmp_path: Path) -> None:
    server.answers = [(503, b""), (200, b"7")]
    assert _client(server, tmp_path, retries=2).ask(_request(server)) == 7


def test_an_answer_that_drips_ends_in_time(server: _Server, tmp_path: Path) -> None:
    server.answers, server.drip_seconds = [(200, b"1" * 100)], 0.1
    begin = time.monotonic()
    with pytest.raises(CallFailed, match=r"^did not answer within 0\.3 s$"):
        _client(server, tmp_path).ask(_request(server))
    assert time.monotonic() - begin < 1


def test_nobody_listens(tmp_path: Path) -> None:
    with _Server() as closed:
        pass
    with pytest.raises(CallFailed, match=r"^could not be reached$"):
        _client(closed, tmp_path).ask(_request(closed))


def test_a_stop_ends_the_attempts(server: _Server, tmp_path: Path) -> None:
    server.answers, waits = [(503, b"")], Waits()
    waits.abort()
    with pytest.raises(Interrupted):
        _client(server, tmp_path, retries=10, waits=waits).ask(_request(server))
    assert len(server.seen) == 1


def test_a_host_that_is_not_listed_is_not_asked(server: _Server, tmp_path: Path) -> None:
    client = HttpClient(HttpCalls(hosts=["other"]), 0.3, 0, tmp_path)
    with pytest.raises(InvalidConfiguration):
        client.ask(_request(server))
    assert not server.seen


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
