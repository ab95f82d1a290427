"""The job that is started again and again, and the messages that it finds."""

from __future__ import annotations

from typing import Any

import polars as pl
from confluent_kafka import Producer

from benchmarks.driven.results import difference
from benchmarks.latency.arrivals import Arrivals
from benchmarks.latency.staggered import JOB, Staggered, wanted
from demo.stage import Stage, create_topic
from streamjob_api import kinds

STREAM = Staggered.of(100, 70)
_PARTITIONS = 4


def manifest(name: str, namespace: str, cu: float) -> dict[str, Any]:
    """A StreamJob that reads everything from the beginning."""
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.STREAM_JOB,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "template": {"name": "time-window-aggregation", "version": "1.0"},
            "startFrom": {"mode": "Earliest"},
            "resources": {"mode": "Standalone", "cu": cu},
            **JOB.spec(cu).block,
        },
    }


def send(stage: Stage, bootstrap: str) -> None:
    """Fill the OU's topic.

    Raises:
        RuntimeError: the broker did not take all.
    """
    create_topic(bootstrap, stage.origin_topic, _PARTITIONS)
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    keys = STREAM.assets().to_list()
    for number in STREAM.all_rounds:
        for key, text in zip(keys, STREAM.texts(number), strict=True):
            producer.produce(stage.origin_topic, text, key)
    if left := producer.flush(60):
        raise RuntimeError(f"{left} messages were not sent within a minute")


def expected() -> pl.DataFrame:
    """The results of one start."""
    return wanted(STREAM)


def fault_of_results(stage: Stage, bootstrap: str, starts: int) -> str:
    """How what all starts wrote together differs from what each had to write; empty where it does not."""
    with Arrivals(bootstrap, stage.cal_topic) as arrivals:
        arrivals.until_quiet(2.0)
    found, once = arrivals.frame().drop("arrived"), expected()
    if len(found) < starts * len(once):
        return f"{len(found):,} results on the topic, {starts * len(once):,} must be there at least"
    return difference(found, once)
