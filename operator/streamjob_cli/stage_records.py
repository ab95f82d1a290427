"""What the stages of a pipeline give, for people who look for a fault in it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import click
import polars as pl

from streamjob_api.suggestions import did_you_mean
from streamjob_cli.output import Filter
from streamjob_runtime.records import encode
from streamjob_runtime.templates import Template
from streamjob_runtime.templates.pipeline import Pipeline
from streamjob_runtime.templates.pipeline_results import pipeline_results


class NoSuchStage(click.UsageError):
    """What was asked for has no stages, or none of this name."""


@dataclass
class StageRecords:
    """The records that stages give, in the place of a job's results.

    Attributes:
        org_id: the OU.
        stage: the only one whose records are wanted; None: all.
        shown: whose.
        is_table: whether people read.
        limit: most rows of the table, 0 for all.
    """

    org_id: str
    stage: str | None
    shown: Filter
    is_table: bool
    limit: int
    _given: list[tuple[str, pl.DataFrame]] = field(default_factory=list)
    _rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def watched(self, template: Template) -> Template:
        """Return the template, which tells from now on what its stages give.

        Raises:
            NoSuchStage: it is no pipeline, or has no stage of this name.
        """
        if not isinstance(template, Pipeline):
            raise NoSuchStage("--stage and --trace look into pipelines; this job has another template")
        names = ["source", *(node.stage.name for node in template.graph.nodes)]
        if self.stage is not None and self.stage not in names:
            nearest = did_you_mean(self.stage, names) or f"; its stages are {', '.join(names)}"
            raise NoSuchStage(f"the pipeline has no stage '{self.stage}'{nearest}")
        return replace(template, watch=self._watch)

    def _watch(self, stage: str, records: pl.DataFrame) -> None:
        if self.stage in {None, stage} and records.height:
            self._given.append((stage, records))

    def add(self, results: pl.DataFrame) -> None:
        """Results are not shown, but what stages gave until now."""
        del results
        for stage, record in self._taken():
            if self.is_table:
                self._rows.append((stage, record))
            else:
                told = record if self.stage is not None else {"stage": stage, "record": record}
                sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")

    def _taken(self) -> Iterator[tuple[str, dict[str, Any]]]:
        given, self._given = self._given, []
        for stage, records in given:
            rows = self.shown.of(pipeline_results(records))
            for record in encode(rows, self.org_id)["record"]:
                yield stage, json.loads(record)

    def finish(self) -> None:
        """Print the table."""
        self.add(pl.DataFrame())
        if self.is_table:
            from streamjob_cli.tables import show_stages  # noqa: PLC0415 (programs need no table)

            show_stages(self._rows, self.limit)
