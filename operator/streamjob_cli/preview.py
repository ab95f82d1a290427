"""``streamjob preview``: a job over a file of records, by the driver's own code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl

from streamjob_api.permissions import HttpCalls, Scripts
from streamjob_api.resolved_names import ResolvedNames
from streamjob_cli.event_clock import TooManyTicks
from streamjob_cli.findings import Findings, summary
from streamjob_cli.given_attributes import GivenAttributes, given_attributes
from streamjob_cli.input_lines import InputLines, UnreadableInput, opened
from streamjob_cli.output import Filter, JsonLines, Output, Table
from streamjob_cli.printable import printable
from streamjob_cli.read_progress import ReadProgress
from streamjob_cli.stage_records import StageRecords
from streamjob_cli.subject import Subject, WrongManifest, subject
from streamjob_cli.trial import Trial
from streamjob_runtime.faults import RuntimeFault
from streamjob_runtime.templates import Surroundings, for_job

if TYPE_CHECKING:
    from streamjob_runtime.http_answers import HttpHosts

EXIT_MANIFEST, EXIT_INPUT = 2, 3
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_REMEDY = (
    "mend the record, or give --now so that times in the future are refused, or preview what follows the gap by itself"
)


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        manifest: file of the job.
        records: file of the records, the job's input.
        resource: file of the StreamResource.
        attributes: file of the assets' attributes, tags and trees; None: no asset has any.
        http_auth: folder of the Secret's keys for hosts that stages ask; None: they are asked without.
        job: name of the job, where the file has several.
        calculated: inputs that are results of jobs which the file does not hold.
        now: the clock; None refuses no record for its time.
        form: ``table`` for people or ``json`` for programs; None: whoever reads standard output decides.
        asset, point: patterns of what is shown.
        stage: of a pipeline, whose records are shown in the place of results.
        trace: pattern of the assets whose records are shown after each stage of a pipeline.
        limit: rows of the table, 0 for all.
        batch_lines: lines a micro-batch.
    """

    manifest: str
    records: str
    resource: str | None
    attributes: str | None
    http_auth: Path | None
    job: str | None
    calculated: tuple[str, ...]
    now: datetime | None
    form: str | None
    asset: str | None
    point: str | None
    stage: str | None
    trace: str | None
    limit: int
    batch_lines: int

    @property
    def is_table(self) -> bool:
        """Whether people read."""
        return sys.stdout.isatty() if self.form is None else self.form == "table"


def preview(request: Request) -> int:
    """Run a preview; results go to standard output, all else to standard error. Returns the exit code."""
    try:
        job = subject(request.manifest, request.resource, request.job).reading(request.calculated)
        attributes = None if request.attributes is None else given_attributes(request.attributes)
        with opened(request.records) as lines:
            _run(request, job, lines, attributes)
        if attributes is not None:
            for remark in attributes.remarks():
                click.echo(printable(remark), err=True)
    except WrongManifest as error:
        for fault in error.faults:
            click.echo(printable(str(fault)), err=True)
        return EXIT_MANIFEST
    except UnreadableInput as error:
        click.echo(str(error), err=True)
        return EXIT_INPUT
    except RuntimeFault as fault:
        # What would end a driver, such as a record for which a stage stops its pipeline.
        click.echo(printable(fault.message), err=True)
        return EXIT_MANIFEST
    return 0


def _run(request: Request, job: Subject, lines: InputLines, attributes: GivenAttributes | None) -> None:
    now_ms = None if request.now is None else round(request.now.timestamp() * 1000)
    template = for_job(job.spec, _surroundings(request, job, attributes))
    output = _output(request, job)
    if isinstance(output, StageRecords):
        template = output.watched(template)
    trial, findings = Trial(job.spec, template, job.mapping, now_ms, job.calculated), Findings()
    with ReadProgress(lines, is_wanted=request.is_table or not sys.stdout.isatty()) as progress:
        for batch in lines.batches(request.batch_lines):
            results, decoded = trial.feed(batch.values)
            findings.add(decoded, batch.numbers)
            with _named(lines, batch.numbers):
                _give_out(results, output)
            progress.advance(len(batch.values))
    with _named(lines):
        _give_out(trial.close(), output)
    output.finish()
    for line in summary(trial.counted, findings, sorted(map(str, template.inputs))):
        click.echo(line, err=True)
    if job.mapping is None and not trial.counted["records"] and ("malformed", "MissingField") in findings.bad:
        click.echo(
            "Messages of another form are read by a StreamResource's source: --resource names its file.", err=True
        )


def _give_out(results: Iterable[pl.DataFrame], output: Output) -> None:
    for rows in results:
        output.add(rows)


@contextmanager
def _named(lines: InputLines, numbers: Sequence[int] = ()) -> Iterator[None]:
    """Say of a clock that would go too far at once by which line it would.

    Raises:
        UnreadableInput: the records lie too far apart.
    """
    try:
        yield
    except TooManyTicks as gap:
        begin, end = (datetime.fromtimestamp(ms // 1000, UTC).strftime(_TIME) for ms in (gap.begin_ms, gap.end_ms))
        where = "--now" if gap.message is None else f"{lines.name}: line {numbers[gap.message]}"
        remedy = "give an earlier --now" if gap.message is None else _REMEDY
        raise UnreadableInput(
            f"{where}: from {begin}, the latest time before, to {end} more than {gap.most:,} ticks of the clock are "
            f"due, which a preview does not make; {remedy}"
        ) from gap


def _surroundings(request: Request, job: Subject, attributes: GivenAttributes | None) -> Surroundings:
    # Whoever previews runs a file of their own on their own machine: a script needs nobody's leave, and has its limits.
    allowed = job.allowed.model_copy(update={"scripts": job.allowed.scripts or Scripts()})
    surroundings = Surroundings(job.org_id, job.timezone, job.calculated, allowed=allowed)
    if allowed.http is not None:
        surroundings = replace(surroundings, hosts=_hosts(allowed.http, request.http_auth))
    if attributes is None:
        return surroundings
    return replace(
        surroundings,
        attributes=attributes,
        assets=attributes.assets,
        latest_values=attributes.latest_values,
        names=ResolvedNames(attributes=attributes.names),
    )


def _hosts(allowed: HttpCalls, auth_dir: Path | None) -> HttpHosts:
    from streamjob_runtime.http_answers import HttpHosts  # noqa: PLC0415 (a client that most previews do without)
    from streamjob_runtime.http_calls import HttpClient  # noqa: PLC0415

    return HttpHosts(HttpClient(allowed, auth_dir, is_stop_asked=lambda: False))


def _output(request: Request, job: Subject) -> Output:
    shown = Filter(request.trace or request.asset, request.point)
    if request.stage is not None or request.trace is not None:
        return StageRecords(job.org_id, request.stage, shown, request.is_table, request.limit)
    return Table(job.org_id, shown, request.limit) if request.is_table else JsonLines(job.org_id, shown)
