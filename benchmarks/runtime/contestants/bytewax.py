"""Bytewax: two processes, each a flow over half of the partitions, with its own recovery store."""

from __future__ import annotations

import subprocess

from benchmarks.runtime.contestant import CORES, SAVED_EVERY_SECONDS, Facts, Work
from benchmarks.runtime.contestants.environments import PROGRAMS, ROOT, python_with, version_in
from benchmarks.runtime.host_session import HostSession

_REQUIREMENTS = PROGRAMS / "bytewax.requirements.txt"
_RUN = """\
export BYTEWAX_INDEX={index}
exec "$PYTHON" -m bytewax.run benchmarks.runtime.programs.bytewax_flow:flow -r "$STORE/{index}" -s "$INTERVAL" -b 0
"""


class Bytewax:
    """A cluster of two processes would send readings from one to the other, at nearly twice the price."""

    facts = Facts(
        key="bytewax",
        title="Bytewax",
        versions={name: version_in(_REQUIREMENTS, name) for name in ("bytewax", "confluent-kafka", "orjson")},
        guarantee=f"at least once; state and offsets saved each {SAVED_EVERY_SECONDS} s",
        settings={
            "processes": f"{CORES}, each with a worker and 2 partitions",
            "batch": "5,000 messages",
            "JSON": "orjson",
            "snapshots": f"each {SAVED_EVERY_SECONDS} s, backup interval 0",
            "sink": "lz4, linger 50 ms",
        },
        backlogs=(0.1, 0.2),
    )

    def prepare(self) -> None:
        python_with(_REQUIREMENTS)

    def start(self, work: Work) -> HostSession:
        python = str(python_with(_REQUIREMENTS))
        for index in range(CORES):
            store = work.folder / "recovery" / str(index)
            store.mkdir(parents=True)
            subprocess.run([python, "-m", "bytewax.recovery", str(store), "1"], check=True, capture_output=True)
        environment = {
            "PYTHONPATH": str(ROOT),
            "PYTHON": python,
            "STORE": str(work.folder / "recovery"),
            "INTERVAL": str(SAVED_EVERY_SECONDS),
            "BOOTSTRAP_SERVERS": work.bootstrap_servers,
            "ORG_ID": work.org_id,
            "INPUT_TOPIC": work.input_topic,
            "OUTPUT_TOPIC": work.output_topic,
        }
        return HostSession([python, PROGRAMS / "several.py", str(CORES), "sh", "-c", _RUN], work.folder, environment)
