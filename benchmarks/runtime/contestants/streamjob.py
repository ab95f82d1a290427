"""This project's runtime, started as its pod starts it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

from benchmarks.runtime.contestant import CORES, INPUT_POINT, MODEL, POINTS, Facts, Work
from benchmarks.runtime.host_session import HostSession
from fixtures.host_process import free_port


def job_spec() -> dict[str, Any]:
    """A StreamJob's ``spec``, as a user writes it."""
    policies = [
        {
            "input": f"{MODEL}::{INPUT_POINT}",
            "threshold": "[0, 1000000)",
            "aggregation": aggregation,
            "windowSize": "10m",
            "output": f"{MODEL}::{point}",
        }
        for aggregation, point in POINTS.items()
    ]
    return {
        "template": {"name": "time-window-aggregation", "version": "1.0"},
        "startFrom": {"mode": "Earliest"},
        "timeWindowAggregation": {"latency": "0s", "policies": policies},
        "resources": {"mode": "Standalone", "cu": CORES},
    }


def job_document(work: Work) -> dict[str, Any]:
    """``job.json`` as the operator would write it."""
    identity = {"namespace": "ou", "name": "job", "uid": work.org_id, "created": "2026-01-01T00:00:00Z"}
    return {
        "job": {**identity, "attempt": 1, "epoch": 0, "generation": 1},
        "orgId": work.org_id,
        "spec": job_spec(),
        "source": {"topics": {"origin": work.input_topic, "cal": work.output_topic}},
        "kafka": {"bootstrapServers": work.bootstrap_servers},
        "checkpointDir": str(work.folder / "checkpoints"),
        "scratchDir": str(work.folder / "scratch"),
        "httpPort": free_port(),
    }


class Streamjob:
    """The driver as a process of this host; its settings are those of a job of two CU that says nothing else."""

    facts = Facts(
        key="streamjob",
        title="streamjob",
        versions={"pyspark": version("pyspark"), "polars": version("polars")},
        guarantee="at least once, with revisions; state and offsets saved with each micro-batch",
        settings={"resources": f"{CORES} CU, which are {CORES} cores and {2 * CORES} GiB", "latency": "0s"},
    )

    def prepare(self) -> None:
        """Nothing: it is what the tests run."""

    def start(self, work: Work) -> HostSession:
        (work.folder / "scratch").mkdir()
        job = work.folder / "job.json"
        job.write_text(json.dumps(job_document(work)))
        words = str(work.folder / "last-words")
        return HostSession(
            [sys.executable, "-m", "streamjob_runtime", job],
            work.folder,
            {"STREAMJOB_TERMINATION_LOG": words},
        )
