"""What is known of assets, as columns beside their records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from streamjob_api.names import NameCheck
from streamjob_api.points import AttributeRef
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_calculators.kit.calculator import PointCalculator, Run
from streamjob_calculators.kit.columns import pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamjob_runtime.templates.surroundings import Asset

UNKNOWN = "unknownAsset"

TreeId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
TagName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TagValues = Annotated[list[Annotated[str, StringConstraints(max_length=1024)]], Field(min_length=1, max_length=100)]


class LookupCalculator(PointCalculator):
    """A calculator that puts what Redis knows of a record's asset beside it."""

    def needs_redis(self) -> bool:
        """Assets are there."""
        return True

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False


class AttributeLookup(LookupCalculator):
    """One that looks up attributes, too."""

    attributes_: list[AttributeRef] = Field(
        alias="attributes",
        default=[],
        max_length=50,
        description="Attributes to look up.",
        examples=[["Meter::Capacity"]],
    )

    def faults(self) -> Iterator[RuleFault]:
        """Each attribute is looked up once."""
        yield from listed_twice("attributes", self.attributes_)

    def check_names(self, names: NameCheck, path: str) -> None:
        """The attributes are there."""
        for number, ref in enumerate(self.attributes_):
            names.attribute(ref, f"{path}.attributes[{number}]")


def known(records: pl.DataFrame, run: Run) -> dict[str, Asset]:
    """Return what is known of the records' assets; records of others are counted, and pass all the same."""
    assets = records["asset"].unique(maintain_order=True).to_list()
    found = zip(assets, run.surroundings.assets.read(assets) if assets else [], strict=True)
    told = {asset: each for asset, each in found if each is not None}
    if len(told) < len(assets):
        run.count(UNKNOWN, records.filter(~pl.col("asset").is_in([*told])).height)
    return told


def beside(records: pl.DataFrame, name: str, told: dict[str, dict[str, Any]], schema: pl.Struct) -> pl.DataFrame:
    """Return records with what is told of their assets, null of others.

    Args:
        records: of any assets.
        name: of the new column.
        told: by the asset.
        schema: of what is told.
    """
    rows = pl.DataFrame({"asset": [*told], name: [*told.values()]}, schema={"asset": pl.String(), name: schema})
    return records.join(rows, on="asset", how="left", maintain_order="left")


def attributes(assets: Sequence[str], refs: Sequence[AttributeRef], run: Run) -> pl.DataFrame:
    """Return a column for each attribute, a row for each asset: numbers where all that are known are, else texts."""
    columns = {str(ref): _column(run.attribute([*assets], ref)) for ref in refs}
    return pl.DataFrame(columns)


def _column(values: list[float | int | str | bool | None]) -> pl.Series:
    there = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)
    return pl.Series([None if value is None else _text(value) for value in values], dtype=pl.String)


def _text(value: float | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def struct_of(frame: pl.DataFrame) -> pl.Struct:
    """Return the type of a frame's rows."""
    return pl.Struct(dict(frame.schema))
