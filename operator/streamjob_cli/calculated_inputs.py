"""Which inputs of a previewed job are results of other jobs, and their records among a file's lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.kinds import STREAM_JOB
from streamjob_api.lifecycle import DesiredState
from streamjob_api.points import PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.manifests import Manifest
from streamjob_runtime.decoding import Decoding
from streamjob_runtime.messages import Decoded, decode


def calculated_inputs(job: Manifest, spec: StreamJobSpec, manifests: Iterable[Manifest]) -> frozenset[PointRef]:
    """Return the job's inputs that other valid jobs of its namespace and channel among the manifests write."""
    others = [other for other in manifests if other.kind == STREAM_JOB and other is not job]
    specs = [_spec(other) for other in others if other.namespace == job.namespace]
    written = {
        output
        for other in specs
        if other is not None and other.state is not DesiredState.DRAFT and other.message_channel is spec.message_channel
        for output in other.block.outputs()
    }
    return frozenset(written.intersection(spec.block.inputs()).difference(spec.block.topics_read()))


def _spec(manifest: Manifest) -> StreamJobSpec | None:
    try:
        return parse_spec(StreamJobSpec, manifest.content.get("spec"))
    except InvalidSpec:
        return None


@dataclass(frozen=True)
class MixedDecoding:
    """Reads lines of both kinds: what devices send, by the OU's mapping, and others, in the service's form.

    A driver reads each from a topic of its own: results, and what stages read of topics that they name.
    """

    raw: Decoding
    results: Decoding

    @classmethod
    def of(cls, decoding: Decoding, calculated: frozenset[PointRef]) -> "Decoding | MixedDecoding":
        """Part a decoding of all inputs, where lines have two forms."""
        if decoding.mapping is None or not decoding.points & calculated:
            return decoding
        raw = replace(decoding, points=decoding.points - calculated, final_only=frozenset())
        return cls(raw, replace(decoding, points=decoding.points & calculated, mapping=None))

    def read(self, values: Sequence[bytes]) -> Decoded:
        """Decode lines: those that hold a result as such, all others as what devices send."""
        lines = pl.Series("message", range(len(values)), dtype=pl.UInt32)
        is_result = lines.is_in(self._found(values).implode())
        results = _read(self.results, values, lines.filter(is_result))
        raw = _read(self.raw, values, lines.filter(~is_result))
        return Decoded(
            points=_merged(results.points, raw.points),
            malformed=_merged(results.malformed, raw.malformed),
            refusals=_merged(results.refusals, raw.refusals),
            unused=raw.unused + results.unused,
            filtered=raw.filtered + results.filtered,
            records=raw.records + results.records,
            intermediate=results.intermediate,
        )

    def _found(self, values: Sequence[bytes]) -> pl.Series:
        """The lines with a value of a calculated input, of whatever asset and time."""
        decoded = decode(values, self.results.points, 0, None)
        return pl.concat([decoded.points["message"], decoded.refusals["message"]]).unique()


def _read(decoding: Decoding, values: Sequence[bytes], lines: pl.Series) -> Decoded:
    """Decode some of the lines; their numbers are those among all."""
    decoded = decoding.read([values[line] for line in lines])
    return replace(
        decoded,
        points=_renumbered(decoded.points, lines),
        malformed=_renumbered(decoded.malformed, lines),
        refusals=_renumbered(decoded.refusals, lines),
    )


def _renumbered(rows: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    return rows.with_columns(lines.gather(rows["message"]))


def _merged(*rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(rows).sort("message", maintain_order=True)
