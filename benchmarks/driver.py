"""The driver from Kafka to Kafka and Redis: rate, CPU, memory, start and idling, with every result compared.

    PYTHONPATH=tests uv run python benchmarks/driver.py [--messages N] [--assets N] [--cu N]

The broker and Redis run on the same machine; their CPU is not counted. The last line is one JSON object.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from fixtures.driver import DriverProcess
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import assert_results_are, emissions, oracle, send
from oracles.windows import Record

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
IDLE_SECONDS = 30.0


def readings(messages: int, assets: int) -> list[Record]:
    """A reading a minute of each asset."""
    return [
        (f"meter-{n % assets:06d}", "Meter::Reading", START + n // assets * 60_000, (n * 7919 % 100_000) / 100)
        for n in range(messages)
    ]


def measure(job: TestJob, messages: int) -> dict[str, float]:
    """Start on a backlog: the first micro-batch counts as start, the others are measured; then idle."""
    driver, began = DriverProcess(job), time.monotonic()
    try:
        warm = driver.await_messages(1, within_seconds=600).totals.messages
        start, start_cpu = time.monotonic() - began, driver.cpu_seconds()
        driver.await_messages(messages, within_seconds=1200)
        steady, steady_cpu = time.monotonic() - began - start, driver.cpu_seconds() - start_cpu
        memory, before = driver.memory_mib(), driver.cpu_seconds_by_process()
        time.sleep(IDLE_SECONDS)
        after = driver.cpu_seconds_by_process()
        idle_cores = sum(after[pid] - before.get(pid, 0.0) for pid in after) / IDLE_SECONDS
        driver.terminate()
    finally:
        driver.kill()
    return {
        "start_seconds": round(start, 1),
        "start_cpu_seconds": round(start_cpu, 1),
        "start_messages": warm,
        "records_per_second": round((messages - warm) / steady),
        "cpu_seconds_per_million": round(steady_cpu * 1e6 / (messages - warm), 1),
        "memory_mib": memory,
        "idle_cores": round(idle_cores, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the driver.")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--cu", type=float, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka, redis = KafkaBroker(folder), RedisServer(folder)
        kafka.start()
        redis.start()
        try:
            job = make_job(folder, kafka, redis, resources={"cu": options.cu})
            sent = readings(options.messages, options.assets)
            send(kafka, job, sent)
            figures = measure(job, options.messages)
            wanted = oracle(job, sent)
            assert_results_are(emissions(kafka, job), wanted)
        finally:
            kafka.process.kill()
            redis.process.kill()
    print(
        json.dumps(
            {
                **figures,
                "messages": options.messages,
                "assets": options.assets,
                "cu": options.cu,
                "results": len(wanted.results),
            }
        )
    )


if __name__ == "__main__":
    main()
