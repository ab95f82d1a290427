"""Behaves as ``spec.description`` says (JSON), and as ``/tmp/told.json`` says from then on.

exit: code to end with; reason, message: last words; slow_stop: seconds that SIGTERM takes;
waiting: reason of /progress and /readyz; ready: whether /readyz answers 200; idle, rate: parts of /progress;
mute: serves nothing; eats: takes memory without end, itself or by a child, whose death it tells and dies of.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JOB = json.loads(pathlib.Path("/etc/streamjob/job/job.json").read_text())
TOLD = pathlib.Path("/tmp/told.json")  # noqa: S108 (an emptyDir of the pod)
CHECKPOINT = pathlib.Path(JOB["checkpoint_dir"] if "checkpoint_dir" in JOB else JOB["checkpointDir"])
STARTED = datetime.now(UTC).isoformat()


def behaviour() -> dict[str, Any]:
    try:
        first: dict[str, Any] = json.loads(JOB["spec"].get("description") or "{}")
    except ValueError:
        first = {}
    return first | (json.loads(TOLD.read_text()) if TOLD.exists() else {})


def end(code: int, *, graceful: bool = False) -> None:
    told = behaviour()
    words = {"reason": told.get("reason", "Told"), "message": told.get("message", "ended as told")}
    words |= {"attempt": JOB["job"]["attempt"], "batchId": 7, "graceful": graceful}
    pathlib.Path("/dev/termination-log").write_text(json.dumps(words))
    os._exit(code)


def progress() -> dict[str, Any]:
    told = behaviour()
    waiting = told.get("waiting", "")
    return {
        "state": "Waiting" if waiting else "Running",
        "reason": waiting,
        "message": f"{waiting}: brokers do not answer" if waiting else "",
        "attempt": JOB["job"]["attempt"],
        "epoch": JOB["job"]["epoch"],
        "idle": bool(told.get("idle")),
        "startedAt": STARTED,
        "observedAt": datetime.now(UTC).isoformat(),
        "totals": {"messages": int(told.get("rate", 0) * 60)},
        "throughput": {"1m": {"messages": told.get("rate", 0), "out": 1}},
        "lag": {"topic": 3},
    }


def eat(who: str) -> None:
    """Go over the memory limit: in this process, or in a child as a Python worker would."""
    if who == "itself":
        eaten = []
        while True:
            eaten.append(b"x" * (64 << 20))
    code = "eaten = []\nwhile True: eaten.append(b'x' * (64 << 20))"
    died = subprocess.run([sys.executable, "-c", code], check=False).returncode
    pathlib.Path("/tmp/told.json").write_text(json.dumps({"message": f"a worker ended with {died}"}))  # noqa: S108
    end(70)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        told = behaviour()
        unready = told.get("waiting") or told.get("ready") is False
        status = 503 if self.path == "/readyz" and unready else 200
        body = json.dumps(progress()).encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def stop(*_: object) -> None:
    threading.Timer(behaviour().get("slow_stop", 0), end, kwargs={"code": 0, "graceful": True}).start()


signal.signal(signal.SIGTERM, stop)
(CHECKPOINT / f"attempt-{JOB['job']['attempt']}").write_text("was here")
if not behaviour().get("mute"):
    server = ThreadingHTTPServer(("", 8090), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"files": sorted(path.name for path in CHECKPOINT.iterdir())}), flush=True)
while True:
    if "eats" in behaviour():
        eat(behaviour()["eats"])
    if "exit" in behaviour():
        time.sleep(behaviour().get("after", 0))
        end(behaviour()["exit"])
    time.sleep(0.2)
sys.exit(0)
