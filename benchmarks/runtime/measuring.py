"""One run: start a contestant on a full topic, watch its processes and its results, judge these."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runtime.contestant import Contestant, Running, Work
from benchmarks.runtime.goal import AllRead, AllResults, Goal
from benchmarks.runtime.load import Load
from benchmarks.runtime.runs import Run
from benchmarks.runtime.stage import Stage
from benchmarks.runtime.verdict import Verdict
from localcluster.progress import Step

SAMPLE_SECONDS = 0.2
MEMORY_SECONDS = 0.5
# What no contestant needs: starting takes 30 s at most, the slowest did 15,000 messages a second.
_PATIENCE_SECONDS, _PATIENCE_RATE = 180, 4_000


@dataclass
class _Seen:
    """What was sampled so far; seconds and CPU are those of the last time that results had come."""

    results: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0


def measure(contestant: Contestant, stage: Stage, load: Load, number: int, folder: Path, step: Step) -> Run:
    """Let a contestant do the work on an empty folder, alone."""
    org_id = stage.org_of(load)
    work = Work(
        stage.kafka.bootstrap_servers, org_id, f"MEASURE_POINT_ORIGIN_{org_id}", stage.new_output(org_id), folder
    )
    goal = AllResults.of(load, org_id) if contestant.facts.writes_results else AllRead(load.messages)
    broker, running = stage.broker_cpu_seconds(), contestant.start(work)
    try:
        watch = _Watch(running, stage, work.output_topic, goal, step)
        verdict = watch.until_done(_PATIENCE_SECONDS + load.messages / _PATIENCE_RATE)
        broker = stage.broker_cpu_seconds() - broker
    finally:
        running.stop()
    if not verdict.fault and stage.count(work.output_topic) > watch.seen.results:
        verdict = goal.judge(stage.read(work.output_topic))  # what it wrote while the results were compared
    stage.kafka.delete_topic(work.output_topic)
    return Run(
        contestant.facts.key, number, load.meters, load.messages, round(watch.seen.seconds, 2),
        round(watch.seen.cpu_seconds, 2), round(watch.seen.peak_mib), round(broker, 2), verdict.results,
        verdict.repeated, verdict.fault,
    )  # fmt: skip


class _Watch:
    """Looks at the processes and at the topic of results five times a second."""

    def __init__(self, running: Running, stage: Stage, topic: str, goal: Goal, step: Step) -> None:
        self.seen = _Seen()
        self._running, self._stage, self._topic, self._goal = running, stage, topic, goal
        self._step = step
        self._began = self._memory_at = time.monotonic()

    def until_done(self, patience_seconds: float) -> Verdict:
        """Look until all results are there, or will not come."""
        while True:
            has_more = self._sample()
            if has_more and self.seen.results >= self._goal.least_records:
                verdict = self._goal.judge(self._stage.read(self._topic))
                if not verdict.missing:
                    return verdict
            if complaint := self._running.complaint():
                return self._refused(complaint)
            if time.monotonic() - self._began > patience_seconds:
                return self._refused(f"not done after {patience_seconds:.0f} s")
            time.sleep(SAMPLE_SECONDS)

    def _sample(self) -> bool:
        """Take in what can be seen now; whether results have come."""
        results = self._stage.count(self._topic)
        seconds, cpu_seconds = time.monotonic() - self._began, self._running.cpu_seconds()
        has_more = results > self.seen.results
        if has_more:
            self.seen.results, self.seen.seconds, self.seen.cpu_seconds = results, seconds, cpu_seconds
        if time.monotonic() >= self._memory_at:
            self.seen.peak_mib = max(self.seen.peak_mib, self._running.memory_mib())
            self._memory_at = time.monotonic() + MEMORY_SECONDS
        self._step.note(f"{results:,} of {self._goal.least_records:,} results, {cpu_seconds:.0f} CPU s")
        return has_more

    def _refused(self, why: str) -> Verdict:
        verdict = self._goal.judge(self._stage.read(self._topic))
        return Verdict(
            verdict.results, verdict.repeated, verdict.missing, "; ".join(filter(None, (why, verdict.fault)))
        )
