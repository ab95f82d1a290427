"""The client that applies jobs: a process of its own, so that neither the operator nor the measurement waits for it.

    python -m benchmarks.operator.load KUBECONFIG [--rate JOBS_PER_SECOND] < LINES

A line is a JSON list: path, key, manifest. At the end it prints one JSON object: when each request was sent, by key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from benchmarks.operator.access import Access, Manifest, connected

_AT_ONCE = 32


async def apply(access: Access, lines: list[tuple[str, str, Manifest]], rate: float) -> dict[str, float]:
    """Post all; at ``rate`` a second, or as fast as the API server takes them."""
    sent: dict[str, float] = {}
    limit = asyncio.Semaphore(_AT_ONCE)
    began = time.monotonic()

    async def one(position: int, path: str, key: str, manifest: Manifest) -> None:
        if rate:
            await asyncio.sleep(began + position / rate - time.monotonic())
        async with limit:
            sent[key] = time.time()
            await access.request("POST", path, manifest)

    await asyncio.gather(*(one(position, *line) for position, line in enumerate(lines)))
    return sent


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    lines = [json.loads(line) for line in sys.stdin]
    async with connected(options.kubeconfig) as access:
        print(json.dumps(await apply(access, lines, options.rate)))


if __name__ == "__main__":
    asyncio.run(main())
