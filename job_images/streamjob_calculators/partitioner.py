"""Partitioner: says by which fields records belong together."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from streamjob_calculators.kit import Calculator, Run, pl


class PartitionField(StrEnum):
    """Fields by which the service parts records."""

    ASSET_ID = "assetId"


class Partitioner(Calculator):
    """Says by which field records belong together.

    Here the records of an asset always go through a pipeline together, in the order of their arrival, so that nothing
    is left to be done: records pass as they are.
    """

    fields: list[PartitionField] = Field(
        default=[PartitionField.ASSET_ID],
        min_length=1,
        max_length=1,
        description="Field by which records belong together; assetId is the only one.",
        examples=[["assetId"]],
    )

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records."""
        return records
