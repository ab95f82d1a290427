"""Flink: a job in a cluster within one process, by its DataStream API or in SQL."""

from __future__ import annotations

from benchmarks.runtime.contestant import CORES, SAVED_EVERY_SECONDS, Facts, Work
from benchmarks.runtime.contestants.maven import class_path, version_of
from benchmarks.runtime.host_session import HostSession

_APIS = {
    "datastream": "DataStream, readings added up before they are sent to their keys",
    "sql": "SQL, windows by table-valued function",
}
# what Flink's own start script opens on Java 17
_OPENS = [
    f"--add-opens=java.base/java.{package}=ALL-UNNAMED"
    for package in ("lang", "net", "io", "nio", "text", "time", "util", "util.concurrent", "util.concurrent.atomic")
]


class Flink:
    """Its state is touched once for many readings; the heap holds it, RocksDB was not compared in this job."""

    def __init__(self, api: str = "datastream", state_backend: str = "hashmap") -> None:
        self._api, self._state_backend = api, state_backend
        self.facts = Facts(
            key="flink",
            title="Flink",
            versions={"flink": version_of("flink"), "connector": version_of("flink.kafka")},
            guarantee=f"at least once; checkpoints to local disk each {SAVED_EVERY_SECONDS} s",
            settings={
                "parallelism": str(CORES),
                "API": _APIS[api],
                "state backend": state_backend,
                "checkpoints": f"each {SAVED_EVERY_SECONDS} s, at least once, object reuse",
                "JSON": "Jackson's token parser",
                "poll": "5,000 records, 4 MiB fetched of a partition",
                "JVM": "-Xmx2g, parallel collector",
                "sink": "lz4, linger 50 ms, batches of 256 KiB",
            },
        )

    def prepare(self) -> None:
        class_path("flink")

    def start(self, work: Work) -> HostSession:
        (work.folder / "tmp").mkdir()
        return HostSession(
            [
                "java", "-Xmx2g", "-XX:+UseParallelGC", f"-XX:ActiveProcessorCount={CORES}",
                f"-Djava.io.tmpdir={work.folder / 'tmp'}", *_OPENS,
                "-cp", class_path("flink"), "dev.streamjob.benchmarks.flink.Main",
                "--bootstrap-servers", work.bootstrap_servers, "--org-id", work.org_id,
                "--input-topic", work.input_topic, "--output-topic", work.output_topic,
                "--state", str(work.folder / "state"), "--cores", str(CORES),
                "--saved-every-ms", str(SAVED_EVERY_SECONDS * 1000),
                "--api", self._api, "--state-backend", self._state_backend,
            ],
            work.folder,
        )  # fmt: skip
