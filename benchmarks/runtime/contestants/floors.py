"""The floors: what reading costs alone, and what all of the work costs when nothing has to survive."""

from __future__ import annotations

import sys
from importlib.metadata import version

from benchmarks.runtime.contestant import CORES, Facts, Work
from benchmarks.runtime.contestants.environments import PROGRAMS, ROOT
from benchmarks.runtime.host_session import HostSession


class Floor:
    """Two processes with two partitions each."""

    def __init__(self, name: str, title: str, *, writes_results: bool) -> None:
        self._name = name
        self.facts = Facts(
            key=name,
            title=title,
            versions={"confluent-kafka": version("confluent-kafka"), "polars": version("polars")},
            guarantee="none: after a crash all is read again",
            settings={"processes": str(CORES), "block": "50,000 messages", "POLARS_MAX_THREADS": "1"},
            is_floor=True,
            writes_results=writes_results,
        )

    def prepare(self) -> None:
        """Nothing: it uses what the runtime uses."""

    def start(self, work: Work) -> HostSession:
        return HostSession(
            [
                sys.executable, PROGRAMS / "several.py", str(CORES), sys.executable, PROGRAMS / "floors.py",
                "--bootstrap-servers", work.bootstrap_servers, "--org-id", work.org_id,
                "--input-topic", work.input_topic, "--output-topic", work.output_topic,
                "--floor", self._name, "--index", "{index}",
            ],
            work.folder,
            {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1"},
        )  # fmt: skip


CONSUME = Floor("consume", "floor: reading alone", writes_results=False)
POLARS = Floor("polars", "floor: Polars, nothing durable", writes_results=True)
