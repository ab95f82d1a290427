"""The driver's HTTP endpoints: /healthz, /readyz, /metrics, /progress, /offsets and /results."""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streamjob_runtime.metrics import exposition
from streamjob_runtime.recent_results import RecentResults
from streamjob_runtime.report import Report

_JSON = "application/json"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
Answer = tuple[HTTPStatus, str, bytes]


def endpoints(report: Report, recent: RecentResults) -> dict[str, Callable[[], Answer]]:
    """What is answered to which path."""
    metrics = exposition(report.progress)

    def status(good: bool) -> HTTPStatus:
        return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE

    return {
        "/healthz": lambda: (status(report.is_alive), _TEXT, b"ok\n" if report.is_alive else b"the main loop hangs\n"),
        "/readyz": lambda: (status(report.is_ready), _JSON, report.readiness_json()),
        "/metrics": lambda: (HTTPStatus.OK, _TEXT, metrics()),
        "/progress": lambda: (HTTPStatus.OK, _JSON, report.progress_json()),
        "/offsets": lambda: (HTTPStatus.OK, _JSON, report.offsets_json()),
        "/results": lambda: (HTTPStatus.OK, _JSON, json.dumps(recent.as_json()).encode()),
    }


def serve(port: int, answers: dict[str, Callable[[], Answer]]) -> ThreadingHTTPServer:
    """Serve in the background; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        """One GET request."""

        timeout = 10

        def do_GET(self) -> None:
            """Answer or say that there is no such path."""
            answer = answers.get(self.path.partition("?")[0])
            code, kind, body = answer() if answer else (HTTPStatus.NOT_FOUND, _TEXT, b"no such path\n")
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Probes come every few seconds; they are not logged."""

    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)  # noqa: S104 (the operator asks by the pod's address)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
