"""Every driver at once: answers ``/progress`` on each address of the fake pods' range, with numbers that move.

    python -m benchmarks.operator.progress_server

The range is routed to loopback, so that one socket hears all addresses; the address asked for says which driver speaks.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import cast
from zlib import crc32

from streamjob_api.job_file import DRIVER_HTTP_PORT
from streamjob_api.progress import THROUGHPUT_WINDOWS

_STARTED = time.time()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def progress(address: str, now: float) -> bytes:
    """What a driver of some hundred messages a second says; its lag moves by more than any threshold of change."""
    seed = crc32(address.encode())
    rate = 50 + seed % 400
    messages = int((now - _STARTED + 3600) * rate)
    lag = crc32(f"{seed}/{int(now) // 20}".encode()) % 5000
    windows = {name: {"messages": rate + lag / 1000, "out": rate / 100} for name in THROUGHPUT_WINDOWS}
    told = {
        "state": "Running",
        "attempt": 1,
        "batchId": int(now - _STARTED),
        "batchDurationMs": 300 + lag // 10,
        "startedAt": _stamp(_STARTED),
        "lastBatchAt": _stamp(now - 1),
        "observedAt": _stamp(now),
        "totals": {"messages": messages, "records": messages * 2, "out": messages // 100, "late": messages // 5000},
        "malformedByReason": {"not-json": messages // 9999},
        "refusedByReason": {},
        "throughput": windows,
        "lag": {"MEASURE_POINT_ORIGIN_o15724268424841": lag},
        "watermark": _stamp(now - 5),
        "durationsMs": {"latestOffset": 4, "getBatch": 1, "addBatch": 250 + lag // 10, "walCommit": 12},
    }
    return json.dumps(told).encode()


class Driver(asyncio.Protocol):
    """One connection, any number of questions."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._address = str(transport.get_extra_info("sockname")[0])

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            body = progress(self._address, time.time())
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Driver, "0.0.0.0", DRIVER_HTTP_PORT, backlog=1024)  # noqa: S104 (a whole range)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
