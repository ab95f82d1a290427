"""The topics that a job reads, each with the inputs that come through it."""

from dataclasses import dataclass

from streamjob_api.job_file import JobFile
from streamjob_api.points import PointRef


@dataclass(frozen=True)
class InputTopic:
    """A topic that a job reads.

    Attributes:
        points: the inputs that come through it; values of others in it are not the job's.
        is_calculated: whether it holds results of jobs, which have the service's form whatever the OU's devices send.
    """

    name: str
    points: frozenset[PointRef]
    is_calculated: bool


def input_topics(job: JobFile) -> dict[str, InputTopic]:
    """The topics by name: what devices send for raw inputs, results for those that other jobs calculate.

    Attributes come through no topic.
    """
    inputs = frozenset(point for point in job.spec.block.inputs() if not job.names.is_attribute(point))
    calculated = inputs & frozenset(job.calculated)
    topics = (
        InputTopic(job.input_topic, inputs - calculated, is_calculated=False),
        InputTopic(job.output_topic, calculated, is_calculated=True),
    )
    return {topic.name: topic for topic in topics if topic.points}


def input_topic(job: JobFile, name: str) -> InputTopic:
    """A topic that a micro-batch has planned, for an earlier driver maybe: what is not read any more has no inputs."""
    known = input_topics(job).get(name)
    return known or InputTopic(name, frozenset(), is_calculated=name == job.output_topic)
