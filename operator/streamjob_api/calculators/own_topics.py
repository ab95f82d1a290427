"""Stages that read and write topics of their own: what keeps them from fitting together."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from streamjob_api.calculators.node import Node
from streamjob_api.calculators.stages import SOURCE
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault


def topic_faults(nodes: Sequence[Node]) -> Iterator[RuleFault]:
    """A point comes from one topic; no stage goes on behind a topic, nor writes what the job reads."""
    first: dict[PointRef, Node] = {}
    for node in nodes:
        if node.parameters.topic_read() is not None:
            yield from _reader_faults(node, first)
    flows_open = {SOURCE} | {node.stage.name for node in nodes if node.given.is_open}
    for node in nodes:
        if node.parameters.topic_read() is None and not flows_open.isdisjoint(node.stage.from_):
            yield from _passed_by(node, first)
        yield from _writer_faults(node, {reader.parameters.topic_read() for reader in first.values()})


def _reader_faults(node: Node, first: dict[PointRef, Node]) -> Iterator[RuleFault]:
    """A stage that reads a topic reads nothing else; ``first``: that reads a point, which it adds its own to."""
    place = ("stages", node.number)
    if node.stage.from_ != [SOURCE]:
        yield RuleFault(f"the stage reads a topic; write [{SOURCE}]", (*place, "from"))
    for point in sorted(node.coming.points):
        earlier = first.setdefault(point, node)
        if earlier.parameters.topic_read() != node.parameters.topic_read():
            message = f"{_comes(point, earlier)}; a point comes from one topic"
            yield RuleFault(message, (*place, "parameters", "points"))


def _passed_by(node: Node, first: Mapping[PointRef, Node]) -> Iterator[RuleFault]:
    """A stage draws nothing from the source that comes through a topic of a stage."""
    for point in sorted((node.parameters.takes() or frozenset()) & first.keys()):
        yield RuleFault(f"{_comes(point, first[point])}; read that stage", ("stages", node.number, "from"))


def _writer_faults(node: Node, read: Collection[str | None]) -> Iterator[RuleFault]:
    """A stage that writes to a topic is a last one, and the job does not read the topic."""
    written, place = node.parameters.topic_written(), ("stages", node.number)
    if written is None:
        return
    if not node.is_last:
        message = "its records leave the job, and no stage gets them; have others read what it reads"
        yield RuleFault(message, place)
    if written in read:
        message = f"'{written}' is read by the job, which would go round for ever; name another topic"
        yield RuleFault(message, (*place, "parameters", "topic"))


def _comes(point: PointRef, reader: Node) -> str:
    return f"'{point}' comes through '{reader.parameters.topic_read()}' to '{reader.stage.name}'"
