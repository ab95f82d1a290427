"""Kafka Streams: a processor over a cached RocksDB store, in one process."""

from __future__ import annotations

from benchmarks.runtime.contestant import CORES, SAVED_EVERY_SECONDS, Facts, Work
from benchmarks.runtime.contestants.maven import class_path, version_of
from benchmarks.runtime.host_session import HostSession


class KafkaStreams:
    """Its processor API, which closes windows at once: the DSL's, behind a cache, close at the next commit only."""

    facts = Facts(
        key="kafka_streams",
        title="Kafka Streams",
        versions={"kafka-streams": version_of("kafka"), "jackson-core": version_of("jackson")},
        guarantee=f"at least once; changelog in Kafka, committed each {SAVED_EVERY_SECONDS} s",
        settings={
            "stream threads": str(CORES),
            "API": "processor API",
            "state": "RocksDB behind a cache of 256 MB, with changelog",
            "commit interval": f"{SAVED_EVERY_SECONDS} s",
            "JSON": "Jackson's token parser, fast doubles",
            "poll": "5,000 records; 10,000 buffered for a partition, 4 MiB fetched",
            "JVM": "-Xmx2g, parallel collector",
            "sink": "lz4, linger 50 ms, batches of 256 KiB",
        },
    )

    def prepare(self) -> None:
        class_path("kafka_streams")

    def start(self, work: Work) -> HostSession:
        return HostSession(
            [
                "java", "-Xmx2g", "-XX:+UseParallelGC", f"-XX:ActiveProcessorCount={CORES}",
                "-cp", class_path("kafka_streams"), "dev.streamjob.benchmarks.kafkastreams.Main",
                "--bootstrap-servers", work.bootstrap_servers, "--org-id", work.org_id,
                "--input-topic", work.input_topic, "--output-topic", work.output_topic,
                "--state", str(work.folder / "state"), "--cores", str(CORES),
                "--saved-every-ms", str(SAVED_EVERY_SECONDS * 1000),
            ],
            work.folder,
        )  # fmt: skip
