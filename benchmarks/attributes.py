"""CPU of reading assets' attributes: from Redis, and again while they are kept.

    PYTHONPATH=.:tests uv run python benchmarks/attributes.py [--assets 20000]

A real Redis on this host, two attributes an asset, half of the assets without. Prints one JSON object as its last line:
microseconds an asset, of CPU and by the clock; Redis' own CPU is not counted.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from fixtures.redis import RedisServer
from streamjob_api.connections import Redis
from streamjob_api.points import AttributeRef
from streamjob_runtime.attributes import RedisAttributes, attributes_key

ORG = "benchmark"
REFS = [AttributeRef("Meter", "MaxSlope"), AttributeRef("Meter", "Ratio")]
TIMES = 5


def give(server: RedisServer, assets: list[str]) -> None:
    with server.client() as client, client.pipeline(transaction=False) as pipeline:
        for number, asset in enumerate(assets[::2]):
            for ref in REFS:
                pipeline.hset(attributes_key(ORG, asset), str(ref), str(number + 0.5))
        pipeline.execute()


def least(step: Callable[[], object], count: int) -> dict[str, float]:
    """Least of some runs, in microseconds an asset."""
    spent: list[tuple[float, float]] = []
    for _ in range(TIMES):
        cpu, begin = time.process_time(), time.perf_counter()
        step()
        spent.append((time.process_time() - cpu, time.perf_counter() - begin))
    cpu, clock = (round(min(column) / count * 1e6, 2) for column in zip(*spent, strict=True))
    return {"cpu_us": cpu, "clock_us": clock}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=20_000)
    count = parser.parse_args().assets
    assets = [f"mtr{number:06d}" for number in range(count)]
    with TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            give(server, assets)
            now = [0.0]
            attributes = RedisAttributes(Redis(url=server.url), ORG, lambda: False, clock=lambda: now[0])

            def anew() -> None:
                now[0] += 3600.0
                attributes.read(assets, REFS)

            figures = {
                "from_redis": least(anew, count),
                "kept": least(lambda: attributes.read(assets, REFS), count),
            }
        finally:
            server.process.kill()
    print(json.dumps({"assets": count, **figures}))


if __name__ == "__main__":
    main()
