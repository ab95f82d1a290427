"""The command line: ``streamjob`` and its subcommands."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from streamjob_cli.cluster_commands import offsets, state

EXIT_CODES = "Exit codes: 0 done, 1 interrupted, 2 wrong manifest or arguments, 3 input that cannot be read."

STDIN = "-"


class Time(click.ParamType[datetime]):
    """A point in time, with its zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse RFC 3339."""
        if isinstance(value, datetime):
            return value
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time; write it as 2026-01-31T08:00:00Z", param, ctx)
        if time.tzinfo is None:
            self.fail(f"{value!r} has no time zone; write it as 2026-01-31T08:00:00Z", param, ctx)
        return time


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamjob", message="%(prog)s %(version)s")
def streamjob() -> None:
    """Try out and check the manifests of stream jobs, without a cluster; look after jobs that run in one."""


streamjob.add_command(offsets)
streamjob.add_command(state)

PREVIEW_EXAMPLES = f"""
\b
Examples:
  streamjob preview job.yaml --input points.jsonl
  streamjob preview job.yaml --input points.jsonl.gz --format json | jq .value
  streamjob preview sub-meters.yaml --input points.jsonl --attributes attributes.jsonl
  streamjob preview jobs.yaml --job second --input results.jsonl --now 2026-02-01T00:00:00Z
  streamjob preview pipeline.yaml --input points.jsonl --trace meter-1
  streamjob preview ou.yaml --job meter-max --input - --asset 'meter-1*' < points.jsonl

{EXIT_CODES} Lines that cannot be used are counted and named on standard error; they change no exit code.
"""


@streamjob.command(epilog=PREVIEW_EXAMPLES)
@click.argument("manifest", metavar="JOB.yaml")
@click.option(
    "--input",
    "records",
    required=True,
    metavar="FILE",
    help="Records, one JSON message a line, in the order of their arrival; - reads standard input, gzip is recognised.",
)
@click.option(
    "--resource",
    metavar="FILE",
    help="The OU's StreamResource: its orgId, time zone and message mapping. Default: the one in JOB.yaml, if any.",
)
@click.option(
    "--attributes",
    metavar="FILE",
    help="Attributes of assets, in the place of the OU's Redis: a line for each asset, as in "
    '{"assetId": "m1", "attributes": {"Meter::Ratio": 40}}; for pipelines also modelId, name, timezone, tags, '
    "parents, children and latest. Default: no asset has any.",
)
@click.option(
    "--http-auth",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Of a pipeline: what hosts are asked with, in the place of the Secret spec.pipelines.http.authSecret: a file "
    "for each of its keys token, username, password and ca.crt. Default: they are asked without.",
)
@click.option("--job", metavar="NAME", help="The job to preview, where JOB.yaml holds several.")
@click.option(
    "--calculated",
    multiple=True,
    metavar="POINT",
    help="An input that another job calculates, as in 'Meter::Max10Min'; may be repeated. Those that other jobs of "
    "JOB.yaml write are known.",
)
@click.option(
    "--now",
    type=Time(),
    metavar="TIME",
    help="The clock, RFC 3339: records too far in its future are refused, and what goes by the clock goes on until "
    "then. Default: none are, and it goes with the records.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    help="json: each record that the job would send, one a line; the last one of an asset, point and time counts. "
    "table: their last values and a plot. Default: table on a terminal, else json.",
)
@click.option("--asset", metavar="PATTERN", help="Show results of these assets only, as in 'meter-*'.")
@click.option("--point", metavar="PATTERN", help="Show results of these points only, as in '*Max*' or 'Meter::Max'.")
@click.option(
    "--stage", metavar="NAME", help="Of a pipeline: show the records that this stage gives; 'source' gives those read."
)
@click.option(
    "--trace",
    metavar="PATTERN",
    help="Of a pipeline: show the records of these assets after each stage, as in 'meter-1'.",
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=40, show_default=True, help="Most rows of the table; 0 for all."
)
@click.option(
    "--batch",
    "batch_lines",
    type=click.IntRange(1, 1_000_000),
    default=20_000,
    show_default=True,
    help="Lines a micro-batch; final results do not depend on it.",
)
def preview(**options: Any) -> None:
    """Calculate what a job would give for a file of records.

    It is the driver's own code, without a cluster, Kafka or Spark. The file's order is the order of arrival; at its
    end, windows that are still open are closed. Results go to standard output, all else to standard error.
    """
    if [options[name] for name in ("manifest", "records", "resource", "attributes")].count(STDIN) > 1:
        raise click.UsageError("only one of JOB.yaml, --input, --resource and --attributes can be standard input (-)")
    from streamjob_cli.preview import Request, preview  # noqa: PLC0415 (Polars takes longer to load than --help may)

    sys.exit(preview(Request(**options)))


VALIDATE_EXAMPLES = """
\b
Examples:
  streamjob validate job.yaml
  streamjob validate manifests/ --resource platform/streamresource.yaml --models platform/models.yaml
  helm template ./chart | streamjob validate -
  kustomize build overlays/production | streamjob validate - --format github

Exit codes: 0 no faults, 2 faults, 3 a file that cannot be read. Warnings and notes change no exit code.
"""


@streamjob.command(epilog=VALIDATE_EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--resource", metavar="FILE", help="The OU's StreamResource, where it is not among the files; it is checked too."
)
@click.option(
    "--models",
    metavar="FILE",
    help="The OU's thing models: models.yaml, or the ConfigMap that holds it, where that is not among the files.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="text: a line for each finding; json: one object; github: annotations of a workflow.",
)
@click.option("--quiet", "-q", "is_quiet", is_flag=True, help="Faults only: no warnings, notes and summary.")
def validate(**options: Any) -> None:
    """Check StreamJobs and StreamResources as the operator does, without a cluster.

    FILE is a YAML or JSON file, a folder (all manifests below it) or - for standard input; other kinds are passed
    over. What jobs need of each other and of their StreamResource is checked among all files together: names and
    types of points, libraries, capacity, outputs and loops.
    """
    if [*options["files"], options["resource"]].count(STDIN) > 1:
        raise click.UsageError("only one of FILE and --resource can be standard input (-)")
    if options["models"] == STDIN:
        raise click.UsageError("--models cannot be standard input (-); give the ConfigMap among the files")
    from streamjob_cli.validate import Request, validate  # noqa: PLC0415 (--help needs none of it)

    sys.exit(validate(Request(**options)))
