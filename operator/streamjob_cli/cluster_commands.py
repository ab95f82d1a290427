"""The commands that look at a job in the cluster: ``streamjob offsets`` and ``streamjob state``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from streamjob_api.points import PointRef

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
WRONG, UNREACHABLE = 2, 3
_EXIT_CODES = (
    "Exit codes: 0 done, 1 interrupted or not confirmed, 2 wrong arguments, or refused with the job or its checkpoint "
    "as they are, 3 the cluster, the job or an answer of the pod beside its checkpoint cannot be had."
)
_RIGHTS = (
    "With your own rights of kubectl: get streamjobs; list streamresources, pods and configmaps; get pods/proxy for "
    "'offsets show' of a running job; for all others create, get and delete pods and get pods/log."
)


class Point(click.ParamType["PointRef"]):
    """An input of a job."""

    name = "point"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> PointRef:
        """Parse ``model::point``."""
        from streamjob_api.points import PointRef  # noqa: PLC0415 (--help needs none of it)

        try:
            return value if isinstance(value, PointRef) else PointRef.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _of_job(command: CommandT) -> CommandT:
    """The arguments that name a job."""
    for option in (
        click.option("--context", metavar="NAME", help="Context of KUBECONFIG. Default: the present one."),
        click.option("-n", "--namespace", metavar="NAME", help="The job's namespace. Default: the context's."),
        click.argument("job", metavar="JOB"),
    ):
        command = option(command)
    return command


_FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    help="table, or json: an object a line. Default: table on a terminal, else json.",
)
_YES = click.option("--yes", "-y", "is_sure", is_flag=True, help="Do not ask.")
_ASSETS = click.option(
    "--asset",
    "assets",
    metavar="ID",
    multiple=True,
    required=True,
    help="An asset, or a pattern as in spec.assets, such as 'meter-*'; @FILE reads one a line; may be repeated.",
)
_POINTS = click.option(
    "--point",
    "points",
    type=Point(),
    metavar="MODEL::POINT",
    multiple=True,
    help="An input of the job; may be repeated. Default: all of them.",
)


@click.group(epilog=f"{_RIGHTS}\n\n{_EXIT_CODES}")
def offsets() -> None:
    """Show how far a job has read, and let a paused one read on from elsewhere."""


@offsets.command(
    "show",
    epilog=f"""
\b
Examples:
  streamjob offsets show meter-max -n ou-energy
  streamjob offsets show meter-max --format json > before.jsonl

{_EXIT_CODES}""",
)
@_of_job
@_FORM
def show_offsets(job: str, namespace: str | None, context: str | None, form: str | None) -> None:
    """Show topic, partition, position and lag: of a running job, or of a paused job's checkpoint."""
    from streamjob_cli.offsets import JobName, show  # noqa: PLC0415 (--help needs none of it)

    with _faults_told():
        show(JobName(job, namespace, context), form)


@offsets.command(
    "reset",
    epilog=f"""
\b
Examples:
  streamjob offsets reset meter-max --to 2026-01-31T08:00:00Z
  streamjob offsets reset meter-max --to latest --yes
  streamjob offsets reset meter-max --to 0=1200,1=1180
  streamjob offsets reset meter-max --to @before.jsonl

{_EXIT_CODES}""",
)
@_of_job
@click.option(
    "--to",
    required=True,
    metavar="PLACE",
    help="earliest, latest, an RFC 3339 time (the first messages that are not older), partition=offset,..., or @FILE "
    "with what 'offsets show --format json' has printed.",
)
@click.option("--topic", metavar="NAME", help="Reset this topic only, where the job reads two.")
@_YES
@_FORM
def reset_offsets(
    job: str, namespace: str | None, context: str | None, to: str, topic: str | None, is_sure: bool, form: str | None
) -> None:
    """Let a paused job read on from elsewhere. Its state is kept.

    Records that are read a second time are late for all that is final, and count twice in windows that are open, unless
    the job says duplicates: ReplaceSameTime. To calculate anew, delete the state, too. See docs/offsets-and-state.md.
    """
    from streamjob_cli.asked_target import target_of  # noqa: PLC0415 (--help needs none of it)
    from streamjob_cli.offsets import JobName, reset  # noqa: PLC0415

    try:
        target = target_of(to, topic)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from error
    except OSError as error:
        click.echo(f"--to {to}: {error.strerror}", err=True)
        sys.exit(UNREACHABLE)
    with _faults_told():
        reset(JobName(job, namespace, context), target, form, is_sure=is_sure)


@click.group(epilog=f"{_RIGHTS}\n\n{_EXIT_CODES}")
def state() -> None:
    """Show what a job's state holds of single assets and points, and let a paused job forget it."""


@state.command(
    "show",
    epilog=f"""
\b
Examples:
  streamjob state show meter-max --asset meter-17
  streamjob state show meter-max --asset 'meter-1*' --point Meter::Reading --format json

{_EXIT_CODES}""",
)
@_of_job
@_ASSETS
@_POINTS
@_FORM
def show_state(
    job: str,
    namespace: str | None,
    context: str | None,
    assets: tuple[str, ...],
    points: tuple[PointRef, ...],
    form: str | None,
) -> None:
    """Show what the job's last committed micro-batch left of some assets and points, 100,000 pairs at most.

    Of windows: watermarks and what is open; of energy: references, the day and the interval so far; of merging: last
    values and waiting records; of device states: latest values and connections.
    """
    from streamjob_cli.offsets import JobName  # noqa: PLC0415 (--help needs none of it)
    from streamjob_cli.state import show  # noqa: PLC0415

    with _faults_told():
        show(JobName(job, namespace, context), _assets(assets), points, form)


@state.command(
    "delete",
    epilog=f"""
\b
Examples:
  streamjob state delete meter-max --asset meter-17 --point Meter::Reading
  streamjob state delete meter-max --asset @replaced-meters.txt --yes

{_EXIT_CODES}""",
)
@_of_job
@_ASSETS
@_POINTS
@_YES
def delete_state(
    job: str,
    namespace: str | None,
    context: str | None,
    assets: tuple[str, ...],
    points: tuple[PointRef, ...],
    is_sure: bool,
) -> None:
    """Let a paused job forget some assets and points, 100,000 pairs at most; the next record starts afresh.

    It is done with the job's next micro-batch; until then 'state show' tells that it is pending. Results that have left
    stay where they are.
    """
    from streamjob_cli.offsets import JobName  # noqa: PLC0415 (--help needs none of it)
    from streamjob_cli.state import delete  # noqa: PLC0415

    with _faults_told():
        delete(JobName(job, namespace, context), _assets(assets), points, is_sure=is_sure)


def _assets(given: tuple[str, ...]) -> tuple[str, ...]:
    from streamjob_api.assets import AssetPattern  # noqa: PLC0415 (--help needs none of it)

    found: list[str] = []
    for text in given:
        if not text.startswith("@"):
            found.append(text)
            continue
        try:
            found += [line.strip() for line in Path(text[1:]).read_text().splitlines() if line.strip()]
        except OSError as error:
            click.echo(f"--asset {text}: {error.strerror}", err=True)
            sys.exit(UNREACHABLE)
    for text in found:
        try:
            AssetPattern.parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--asset") from error
    return tuple(dict.fromkeys(found))


@contextmanager
def _faults_told() -> Iterator[None]:
    """End with a sentence and the exit code of what went wrong."""
    from streamjob_cli.cluster_access import Unreachable  # noqa: PLC0415 (--help needs none of it)
    from streamjob_cli.job_standing import WrongState  # noqa: PLC0415

    try:
        yield
    except WrongState as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(WRONG)
    except Unreachable as away:
        click.echo(str(away), err=True)
        sys.exit(UNREACHABLE)
