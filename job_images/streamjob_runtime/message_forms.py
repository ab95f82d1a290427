"""The forms of messages: the service's own, or other people's by a mapping; each is read by shapes and one by one."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from streamjob_api.source import MessageMapping
from streamjob_runtime import mapped_shapes, messages_slow, service_shapes
from streamjob_runtime.json_reading import Found
from streamjob_runtime.mapped_slow import MappedReader
from streamjob_runtime.message_shapes import Shape, WantedPoints

Points = frozenset[tuple[str, str]]


class Form(Protocol):
    """How messages are read.

    Attributes:
        selected: pairs of model and point whose values are wanted.
        texts: those of them whose values may be texts or truth values.
        qualities: whether the qualities of values are wanted.
    """

    selected: Points
    texts: Points
    qualities: bool

    def learn(self, sample: str, *, flat: bool) -> Shape:
        """Return the shape of a message, or raise Unshapely."""
        ...

    def read_message(self, message: int, raw: bytes | None, found: Found) -> None:
        """Add to ``found`` what one message holds, or raise Malformed."""
        ...


def form_of(mapping: MessageMapping | None, selected: Points, texts: Points, *, qualities: bool = False) -> Form:
    """The form that a mapping describes; None: the service's."""
    if mapping is None:
        return ServiceForm(selected, texts, qualities)
    return MappedForm(selected, texts, mapping, qualities)


@dataclass
class ServiceForm:
    """Origin messages and one-point records."""

    selected: Points
    texts: Points
    qualities: bool = False

    def learn(self, sample: str, *, flat: bool) -> Shape:
        """Return the shape of a message, or raise Unshapely."""
        return service_shapes.learn(sample, wanted_points(self), flat=flat)

    def read_message(self, message: int, raw: bytes | None, found: Found) -> None:
        """Add to ``found`` what one message holds, or raise Malformed."""
        messages_slow.read_message(message, raw, self.selected, found)


@dataclass
class MappedForm:
    """Messages that a mapping describes."""

    selected: Points
    texts: Points
    mapping: MessageMapping
    qualities: bool = False

    def learn(self, sample: str, *, flat: bool) -> Shape:
        """Return the shape of a message, or raise Unshapely."""
        return mapped_shapes.learn(sample, self.mapping, wanted_points(self), flat=flat)

    def read_message(self, message: int, raw: bytes | None, found: Found) -> None:
        """Add to ``found`` what one message holds, or raise Malformed."""
        self._reader.read_message(message, raw, found)

    @cached_property
    def _reader(self) -> MappedReader:
        return MappedReader(self.mapping, self.selected)


def wanted_points(form: Form) -> WantedPoints:
    """What a shape reads: a text of a point that only some models have as text is left to the complete reading."""
    numbers = {point for _, point in form.selected - form.texts}
    points = frozenset(point for _, point in form.selected)
    return WantedPoints(points, points - numbers, form.qualities)
