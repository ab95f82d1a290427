"""Latest record merger: an expression over the latest records of several points of an asset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from streamjob_api.base import ApiModel, Bool
from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.expressions import Expression, value_type
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.conditions import numbers
from streamjob_calculators.kit.latest import listed, with_latest
from streamjob_calculators.kit.series import of_now

if TYPE_CHECKING:
    from streamjob_runtime.expressions import Column

ATTACHED = "latestRecordMerger"
_CAUSES = {"DIVISION_BY_ZERO": "the expression divides by zero", "NOT_FINITE": "the expression's value is too large"}


class MergedPoint(ApiModel):
    """One of the points that are merged."""

    point: PointRef = Field(description="Point whose latest record takes part.", examples=["Meter::A"])
    trigger: Bool = Field(default=False, description="Whether each of its records gives a result.", examples=[True])


class LatestRecordMerger(Calculator):
    """Gives an expression over the latest records of several points of an asset, with each record of some of them.

    A result has the time of the record that triggers it. `attr.latestRecordMerger` has `mergedTag`, the asset, and
    `mergedRecords`, the `point`, `time` and `value` of each latest record. A record that is older than the latest one
    of its asset and point is counted as `late` and takes no part. A trigger gives nothing where another point's record
    is missing or too old, counted as `missing`; where the expression has no value, as in a division by zero, it fails.
    """

    inputs: list[MergedPoint] = Field(
        min_length=2,
        max_length=50,
        description="Points that are merged; at least one triggers.",
        examples=[[{"point": "Meter::A", "trigger": True}, {"point": "Meter::B"}]],
    )
    expression: Expression = Field(
        description="Value of the result, a number, of the inputs.", examples=["${Meter::A} - ${Meter::B}"]
    )
    max_age: Annotated[Duration, between("1s", "366d")] | None = Field(
        default=None,
        description="How old a latest record may be, by the trigger's time. Left out: any age.",
        examples=["1h"],
    )
    output: PointRef = Field(description="Point of the results.", examples=["Meter::C"])

    def faults(self) -> Iterator[RuleFault]:
        """Inputs differ, one triggers, and the expression is a number of them."""
        points = [each.point for each in self.inputs]
        yield from listed_twice("inputs", points)
        if not any(each.trigger for each in self.inputs):
            yield RuleFault("no point triggers; write trigger: true for at least one", ("inputs",))
        for variable in sorted(self.expression.variables - {*points}):
            yield RuleFault(f"'{variable}' is no input; add it to inputs", ("expression",))
        checked = value_type(self.expression, lambda _: ValueType.DOUBLE)
        yield from (RuleFault(str(fault), ("expression",)) for fault in checked.faults)
        if not checked.faults and (checked.type is None or not checked.type.is_number):
            yield RuleFault("gives no number; calculate one, as in ${Meter::A} - ${Meter::B}", ("expression",))

    def takes(self) -> frozenset[PointRef]:
        """Return the inputs."""
        return frozenset(each.point for each in self.inputs)

    def numbers(self) -> frozenset[PointRef]:
        """All inputs are calculated with."""
        return self.takes()

    def gives(self, coming: Flow) -> Flow:
        """Return the results."""
        return coming.made(self.output, ValueType.DOUBLE).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return a result for each record that triggers."""
        rows = of_now(with_latest(records, run, [each.point for each in self.inputs], self.max_age))
        triggers = [str(each.point) for each in self.inputs if each.trigger]
        return self._results(rows.filter(pl.col("point").is_in(triggers)), records.columns, run)

    def _results(self, rows: pl.DataFrame, columns: list[str], run: Run) -> pl.DataFrame:
        from streamjob_runtime.expressions import Fault, calculated  # noqa: PLC0415 (the operator reads parameters alone)

        variables = {each.point: _numbers(rows[f"latest{place}"]) for place, each in enumerate(self.inputs)}
        found = calculated(self.expression.tree, variables, rows.height)
        run.count("missing", int((found.fault == Fault.MISSING).sum()))
        for fault, cause in _CAUSES.items():
            run.reject(rows.filter(pl.Series(found.fault == Fault[fault])).select(columns), cause)
        results = rows.with_columns(
            pl.struct(mergedTag="asset", mergedRecords=listed(len(self.inputs))).alias(ATTACHED),
            point=pl.lit(str(self.output)).cast(rows.schema["point"]),
            value=pl.Series(found.value, dtype=pl.Float64),
            is_int=pl.Series(found.is_int),
        )
        return results.filter(pl.Series(found.fault == Fault.NONE)).select(*columns, ATTACHED)


def _numbers(latest: pl.Series) -> Column:
    return numbers(latest.struct.field("value"), latest.struct.field("is_int").fill_null(value=False))
