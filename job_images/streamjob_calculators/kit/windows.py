"""Windows of one point, calculated as the template time-window-aggregation calculates them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.templates.time_window_aggregation import Aggregation, TimeWindowAggregation
from streamjob_calculators.kit.calculator import PointCalculator, Run
from streamjob_calculators.kit.columns import pl

if TYPE_CHECKING:
    from streamjob_runtime.templates.protocols import Template

ATTACHED = "windowAggregator"
# Within the template, which knows outputs of the input's model alone; the records get the stage's own.
_OUTPUT = "output"


class WindowCalculator(PointCalculator):
    """A calculator of windows; what is open of them is the state of the template."""

    aggregator: Aggregation = Field(
        description="max, min, avg, sum or cnt (count is an alias) of the window's values.", examples=["max"]
    )

    def windows(self) -> dict[str, Any]:
        """Return the form and length of the windows, as the template's manifest has them."""
        raise NotImplementedError

    def faults(self) -> Iterator[RuleFault]:
        """What the template says of its policy, of the fields that both have."""
        policy = {key: value for key, value in self.windows().items() if key in {"windowSize", "slide"}}
        size, slide = policy["windowSize"], policy.get("slide")
        if slide is not None and size.milliseconds % slide.milliseconds:
            yield RuleFault(f"'{slide}' does not divide windowSize '{size}'; write a divisor of it", ("slide",))

    def numbers(self) -> frozenset[PointRef]:
        """Only numbers are aggregated."""
        return frozenset({self.input})

    def gives(self, coming: Flow) -> Flow:
        """Return the aggregates."""
        return coming.made(self.output or self.input, self.aggregator.result(None)).with_attached(ATTACHED)

    @cached_property
    def inner(self) -> Template:
        """The template of one policy."""
        from streamjob_runtime.templates.surroundings import Surroundings  # noqa: PLC0415 (the operator reads parameters alone)
        from streamjob_runtime.templates.time_window_aggregation import TimeWindowAggregation as Template  # noqa: PLC0415

        output = PointRef(self.input.model, f"{self.input.point}.{_OUTPUT}")
        policy: dict[str, Any] = {"input": self.input, "output": output, "aggregation": self.aggregator}
        block = self.windows()
        policy |= {name: block.pop(name) for name in ("windowSize", "slide") if name in block}
        return Template.of(TimeWindowAggregation.model_validate({**block, "policies": [policy]}), Surroundings())

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the windows that are due."""
        from streamjob_runtime.shards import Shards  # noqa: PLC0415 (the operator reads parameters alone)

        points = records.filter(pl.col("value").is_not_null()).with_columns(
            model=pl.lit(self.input.model), point=pl.lit(self.input.point)
        )
        combiner = self.inner.combiner(Shards.of(1))
        combiner.add(points)
        combined = combiner.finish()
        folded = self.inner.fold(run.store, list(combined.blocks.values()), run.now_ms)
        run.count("late", combined.counts.get("late", 0) + folded.counts.get("late", 0))
        return self._records(folded.results, records)

    def end(self, given: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the windows that are open, as final."""
        return self._records(self.inner.close(run.store).results, given)

    def _records(self, results: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
        """Return RESULTS as records."""
        told = pl.Struct({"calType": pl.String(), "calMode": pl.String()})
        attr = pl.col("attr").str.json_decode(pl.Struct({ATTACHED: told})).struct.field(ATTACHED)
        point = pl.lit(str(self.output or self.input)).cast(records.schema["point"])
        return results.select("asset", point.alias("point"), "model_path", "time", "value", "is_int", "text", attr)
