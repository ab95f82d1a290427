"""The topics of a job before it starts: there, created where the job's resource says so, or waited for."""

from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from streamjob_api.job_file import KAFKA_AUTH_DIR, JobFile
from streamjob_runtime.input_topics import input_topics
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.topic_offsets import REQUEST_SECONDS, KafkaAway, TopicOffsets, kafka_away


def check_topics(job: JobFile) -> None:
    """See that inputs and output exist, creating outputs where ``kafka.createTopics`` says so.

    Raises:
        KafkaAway: the brokers do not answer, deny, or a topic is missing.
    """
    settings = client_settings(job.kafka, Path(KAFKA_AUTH_DIR), "streamjob-driver")
    written = {job.output_topic, *job.spec.block.topics_written()}
    for topic in (*sorted(written), job.dead_letter_topic):
        if job.kafka.create_topics:
            _create(AdminClient(settings), job, topic)
    TopicOffsets(settings, {*input_topics(job), *written}).partitions()


def _create(admin: AdminClient, job: JobFile, topic: str) -> None:
    """Create a topic unless it is there."""
    assert job.kafka.create_topics is not None  # noqa: S101 (the caller's condition)
    form = job.kafka.create_topics
    wanted = NewTopic(topic, form.partitions, form.replication_factor)
    try:
        admin.create_topics([wanted], request_timeout=REQUEST_SECONDS)[topic].result(timeout=REQUEST_SECONDS + 1)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise kafka_away(error, topic) from error
    except FutureTimeoutError as error:
        raise KafkaAway("KafkaUnreachable", "the brokers did not answer in time") from error
