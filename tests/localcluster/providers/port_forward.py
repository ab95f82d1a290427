"""``kubectl port-forward`` that is started again when it ends, as it does whenever its pod goes."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType

from localcluster.problems import ClusterError

FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")
FIRST_SECONDS = 120.0
RETRY_SECONDS = 0.5


def forwarded_port(line: str) -> int | None:
    """The local port in kubectl's line about a forward that stands."""
    found = FORWARDING.match(line)
    return int(found[1]) if found else None


class PortForward:
    """A forward for as long as the context lasts; entering gives the local port."""

    def __init__(self, kubectl: Sequence[str], target: str, port: int, local_port: int) -> None:
        self._command = [*kubectl, "port-forward", "--address=127.0.0.1", target]
        self._port = port
        self._local_port = local_port
        self._last_words = ""
        self._settled = threading.Event()  # the first forward stands, or has failed
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        if not self._settled.wait(FIRST_SECONDS) or not self._local_port:
            self.__exit__(None, None, None)
            raise ClusterError(f"{' '.join(self._command[-1:])} cannot be forwarded: {self._last_words.strip()}")
        return self._local_port

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._process:
            self._process.terminate()
        self._thread.join(timeout=10)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            stood = self._forward_once()
            if not stood and not self._settled.is_set():
                self._local_port = 0
                self._settled.set()
                return
            self._stopping.wait(RETRY_SECONDS)

    def _forward_once(self) -> bool:
        """Run kubectl until it ends; whether its forward ever stood."""
        stood = False
        argv = [*self._command, f"{self._local_port or ''}:{self._port}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            self._process = process
            if self._stopping.is_set():
                process.terminate()
            for line in process.stdout or ():
                self._last_words = line
                if local_port := forwarded_port(line):
                    stood, self._local_port = True, local_port
                    self._settled.set()
        return stood
