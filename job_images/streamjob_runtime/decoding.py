"""What a job takes of the messages of one topic, and how."""

from dataclasses import dataclass
from typing import Self

from streamjob_api.assets import AssetFilter
from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_runtime.final_values import without_intermediate
from streamjob_runtime.messages import Decoded, Values, decode
from streamjob_runtime.templates import Template
from streamjob_runtime.templates.protocols import ReadsQualities


@dataclass(frozen=True)
class Decoding:
    """How messages become points.

    Attributes:
        points: the inputs that come through the topic.
        texts: those whose values may be texts or truth values.
        qualities: whether the qualities of values are read.
        final_only: those of which only final results are taken.
        assets: the assets that the job works on.
        now_ms: the clock that refuses times in the future.
        future_tolerance_ms: how far a time may lie ahead of it; None: any time is taken.
        mapping: how messages are read; None: they have the service's form.
    """

    points: frozenset[PointRef]
    texts: frozenset[PointRef]
    qualities: bool
    final_only: frozenset[PointRef]
    assets: AssetFilter
    now_ms: int
    future_tolerance_ms: int | None
    mapping: MessageMapping | None

    @classmethod
    def of(
        cls,
        spec: StreamJobSpec,
        template: Template,
        now_ms: int | None,
        *,
        points: frozenset[PointRef] | None = None,
        calculated: frozenset[PointRef] = frozenset(),
        mapping: MessageMapping | None = None,
    ) -> Self:
        """Return what a job says of its messages.

        Args:
            spec: the job.
            template: the job's template.
            now_ms: the clock; None refuses no time for lying in the future.
            points: the inputs that come through the topic; None: all.
            calculated: inputs that other jobs calculate.
            mapping: see above.
        """
        return cls(
            points=template.inputs if points is None else template.inputs & points,
            texts=template.texts,
            qualities=isinstance(template, ReadsQualities) and template.qualities,
            final_only=calculated if spec.final_only else frozenset(),
            assets=spec.assets,
            now_ms=0 if now_ms is None else now_ms,
            future_tolerance_ms=None if now_ms is None else _future_tolerance_ms(spec),
            mapping=mapping,
        )

    def read(self, values: Values) -> Decoded:
        """Decode messages, in arrival order."""
        decoded = decode(
            values,
            self.points,
            self.now_ms,
            self.future_tolerance_ms,
            mapping=self.mapping,
            assets=self.assets,
            texts=self.texts & self.points,
            qualities=self.qualities,
        )
        return without_intermediate(decoded, values, self.final_only) if self.final_only else decoded


def _future_tolerance_ms(spec: StreamJobSpec) -> int | None:
    """The offline channel carries historical data and has no check against the clock."""
    is_offline = spec.message_channel is MessageChannel.OFFLINE
    return None if is_offline else spec.future_tolerance.milliseconds
