"""One driver at a steady rate with one trigger interval; and what a driver manages at most."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.driven.driver_session import DriverSession
from benchmarks.driven.feeder import Feeder
from benchmarks.driven.following import Fault, Follower, steady
from benchmarks.driven.results import difference
from benchmarks.latency.arrivals import Arrivals
from benchmarks.latency.producer import Order, write
from benchmarks.latency.staggered import JOB, Staggered, wanted
from benchmarks.latency.waits import Sent, Waits, summary, waits
from fixtures.kafka import KafkaBroker
from localcluster.progress import Step

_PARTITIONS = 4
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Steadily:
    """How a driver is fed: so many messages a second of so many meters, measured after a time of warming up."""

    rate: int
    meters: int
    warm_seconds: float
    seconds: float
    cu: float

    @property
    def rounds(self) -> int:
        """Rounds of the whole time, and the one that a driver starts on."""
        return 2 + round((self.warm_seconds + self.seconds) * self.rate / self.meters)


@dataclass(frozen=True)
class Trial:
    """What was found with one trigger interval.

    Attributes:
        cores: CPU that the driver took while results were timed.
        batches: micro-batches meanwhile.
        behind_ms: the most that the producer was behind its schedule.
        fault: what refuses the measurement; empty where all results are right.
    """

    interval: str
    rate: int
    waits: Waits | None
    cores: float = 0.0
    batches: int = 0
    behind_ms: float = 0.0
    fault: str = ""


def highest_rate(kafka: KafkaBroker, meters: int, messages: int, cu: float, folder: Path, step: Step) -> int:
    """Messages a second that a driver reads of a backlog once it has read a quarter of it.

    Raises:
        Fault: the driver failed, or its results are not right.
    """
    stream = Staggered.of(meters, max(2, messages // meters))
    feeder = Feeder(kafka, stream, _PARTITIONS)
    feeder.send(stream.all_rounds)
    driver = _driver(kafka, feeder, "1s", cu, folder)
    follower = Follower(driver, step)
    try:
        with Arrivals(kafka.bootstrap_servers, driver.job.output_topic) as arrivals:
            follower.until(stream.messages)
            arrivals.until_quiet(2.0, follower.wait)
    finally:
        driver.stop()
    if fault := difference(arrivals.frame().drop("arrived"), wanted(stream)):
        raise Fault(fault)
    feeder.delete_topics()
    return steady(follower.marks, stream.messages // 4, stream.messages, meters).rate


def run(kafka: KafkaBroker, load: Steadily, interval: str, folder: Path, step: Step) -> Trial:
    """Start a driver on one round, feed it at the rate, and time its results."""
    stream = Staggered.of(load.meters, load.rounds)
    feeder = Feeder(kafka, stream, _PARTITIONS)
    feeder.send([0])
    driver = _driver(kafka, feeder, interval, load.cu, folder)
    try:
        with Arrivals(kafka.bootstrap_servers, driver.job.output_topic) as arrivals:
            follower = Follower(driver, step)
            follower.until(load.meters)
            order = Order(
                kafka.bootstrap_servers, f"MEASURE_POINT_ORIGIN_{feeder.org_id}", load.meters, load.rounds, 1,
                load.rate, folder / "sent.npz",
            )  # fmt: skip
            begin, spent, batches = _fed(order, load, follower, driver, folder)
            follower.until(stream.messages)
            arrivals.until_quiet(2.0, follower.wait)
        trial = _judged(stream, arrivals, order.sent, begin, load, interval)
    except Fault as refused:
        return Trial(interval, load.rate, None, fault=str(refused))
    finally:
        driver.stop()
    feeder.delete_topics()
    return replace(trial, cores=round(spent / load.seconds, 2), batches=batches)


def _fed(
    order: Order, load: Steadily, follower: Follower, driver: DriverSession, folder: Path
) -> tuple[float, float, int]:
    """Feed the driver; when the measurement began, and what it took of CPU and micro-batches."""
    path = folder / "order.json"
    write(order, path)
    with subprocess.Popen([sys.executable, "-m", "benchmarks.latency.producer", path]) as producer:
        try:
            follower.wait(load.warm_seconds)
            begin, cpu, batches = time.time(), driver.cpu_seconds(), follower.marks[-1].batches
            follower.wait(load.seconds)
            spent, done = driver.cpu_seconds() - cpu, follower.marks[-1].batches - batches
            producer.wait(_PATIENCE_SECONDS + load.seconds)
        except BaseException:
            producer.kill()
            raise
    if producer.returncode:
        raise Fault(f"the producer ended with {producer.returncode}")
    return begin, spent, done


def _judged(stream: Staggered, arrivals: Arrivals, file: Path, begin: float, load: Steadily, interval: str) -> Trial:
    found = arrivals.frame()
    with np.load(file) as archive:
        sent = Sent(archive["begins"], archive["seconds"], float(archive["behind"]))
    fault = difference(found.drop("arrived"), wanted(stream))
    took = waits(found, sent, stream.meters, begin, begin + load.seconds)
    fault = fault or ("" if len(took) else "no window was closed while it was measured: measure for longer")
    behind_ms = round(sent.behind * 1000, 1)
    return Trial(interval, load.rate, None if fault else summary(took), behind_ms=behind_ms, fault=fault)


def _driver(kafka: KafkaBroker, feeder: Feeder, interval: str, cu: float, folder: Path) -> DriverSession:
    spec = JOB.spec(cu)
    job = replace(spec, trigger_interval=interval)
    document = job.document(feeder.org_id, kafka.bootstrap_servers, folder, None)
    return DriverSession(document, folder)
