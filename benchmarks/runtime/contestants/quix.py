"""Quix Streams: two processes of one consumer group."""

from __future__ import annotations

from benchmarks.runtime.contestant import CORES, SAVED_EVERY_SECONDS, Facts, Work
from benchmarks.runtime.contestants.environments import PROGRAMS, ROOT, python_with, version_in
from benchmarks.runtime.host_session import HostSession

_REQUIREMENTS = PROGRAMS / "quix.requirements.txt"


class Quix:
    """Its changelog topics are on the same broker."""

    facts = Facts(
        key="quix",
        title="Quix Streams",
        versions={name: version_in(_REQUIREMENTS, name) for name in ("quixstreams", "confluent-kafka", "orjson")},
        guarantee=f"at least once; changelog in Kafka, offsets committed each {SAVED_EVERY_SECONDS} s",
        settings={
            "processes": f"{CORES}, one consumer group",
            "windows": "one reducer for all four, closed by partition, no grace",
            "JSON": "orjson",
            "commit interval": f"{SAVED_EVERY_SECONDS} s",
            "sink": "lz4, linger 50 ms",
        },
        backlogs=(0.1, 0.2),
    )

    def prepare(self) -> None:
        python_with(_REQUIREMENTS)

    def start(self, work: Work) -> HostSession:
        python = python_with(_REQUIREMENTS)
        return HostSession(
            [
                python, PROGRAMS / "several.py", str(CORES), python, PROGRAMS / "quix_app.py",
                "--bootstrap-servers", work.bootstrap_servers, "--org-id", work.org_id,
                "--input-topic", work.input_topic, "--output-topic", work.output_topic,
                "--state", f"{work.folder}/state-{{index}}",
            ],
            work.folder,
            {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
