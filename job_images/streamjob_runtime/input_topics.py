"""The topics that a job reads, each with the inputs that come through it."""

from dataclasses import dataclass

from streamjob_api.job_file import JobFile
from streamjob_api.points import PointRef


@dataclass(frozen=True)
class InputTopic:
    """A topic that a job reads.

    Attributes:
        points: the inputs that come through it; values of others in it are not the job's.
        is_calculated: whether it holds results of jobs.
        is_of_devices: whether it holds what the OU's devices send, in their form; all others have the service's.
    """

    name: str
    points: frozenset[PointRef]
    is_calculated: bool
    is_of_devices: bool


def input_topics(job: JobFile) -> dict[str, InputTopic]:
    """The topics by name: what devices send for raw inputs, results for those that other jobs calculate, own ones.

    Attributes come through no topic.
    """
    inputs = frozenset(point for point in job.spec.block.inputs() if not job.names.is_attribute(point))
    own = job.spec.block.topics_read()
    raw = inputs - frozenset(own)
    calculated = raw & frozenset(job.calculated)
    points = {job.input_topic: raw - calculated, job.output_topic: calculated}
    for topic in sorted({*own.values()}):
        points[topic] = frozenset(point for point in inputs if own.get(point) == topic)
    return {name: _topic(job, name, through) for name, through in points.items() if through}


def input_topic(job: JobFile, name: str) -> InputTopic:
    """A topic that a micro-batch has planned, for an earlier driver maybe: what is not read any more has no inputs."""
    known = input_topics(job).get(name)
    return known or _topic(job, name, frozenset())


def _topic(job: JobFile, name: str, points: frozenset[PointRef]) -> InputTopic:
    is_calculated, is_of_devices = name == job.output_topic, name == job.input_topic
    return InputTopic(name, points, is_calculated=is_calculated, is_of_devices=is_of_devices)
