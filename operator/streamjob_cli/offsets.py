"""``streamjob offsets``: how far a job has read, and where a paused one is to read on."""

from collections.abc import Sequence
from dataclasses import dataclass

import click
from pydantic import ValidationError

from streamjob_api.checkpoint_tools import Action, Answer, OffsetRow, Position, Target, ToolRequest
from streamjob_api.job_file import DRIVER_HTTP_PORT
from streamjob_cli.checkpoint_call import call
from streamjob_cli.cluster_access import ClusterAccess, Unreachable
from streamjob_cli.job_standing import live_driver, refuse_unless_paused
from streamjob_cli.row_tables import show_offsets, show_trial


@dataclass(frozen=True)
class JobName:
    """A job of the cluster; None: as kubectl has it."""

    name: str
    namespace: str | None
    context: str | None

    def cluster(self) -> ClusterAccess:
        """Connect to it."""
        return ClusterAccess.of(self.namespace, self.context)


def show(asked: JobName, form: str | None) -> None:
    """Print topic, partition, position and lag: a running driver's own, else those of the checkpoint."""
    cluster = asked.cluster()
    job = cluster.job(asked.name)
    driver = live_driver(cluster.drivers(asked.name))
    if driver is not None:
        show_offsets(_of_driver(cluster, driver["metadata"]["name"]), form)
        return
    answers = call(cluster, job, ToolRequest(action=Action.SHOW_OFFSETS))
    done = answers[-1].done
    if done is not None and done.note:
        click.echo(done.note, err=True)
    show_offsets(_rows(answers), form)


def reset(asked: JobName, to: Target, form: str | None, *, is_sure: bool) -> None:
    """Let a paused job read on from elsewhere; its state stays."""
    cluster = asked.cluster()
    job = cluster.job(asked.name)
    refuse_unless_paused(job, cluster.drivers_and_executors(asked.name), "reset its offsets")
    if not is_sure:
        tried = _rows(call(cluster, job, ToolRequest(action=Action.RESET_OFFSETS, to=to, only_try=True)))
        show_trial(tried)
        click.confirm(f"Let {asked.name} read on from there?", abort=True, err=True)
        # What was shown is what is done, whatever the topics hold by now.
        to = Target(positions=[_after(row) for row in tried if row.after is not None])
    show_offsets(_rows(call(cluster, job, ToolRequest(action=Action.RESET_OFFSETS, to=to))), form)
    click.echo(f"{asked.name} reads on from there once spec.state is Running; its state is kept", err=True)


def _after(row: OffsetRow) -> Position:
    return Position(topic=row.topic, partition=row.partition, position=row.after or 0)


def _rows(answers: Sequence[Answer]) -> list[OffsetRow]:
    return [answer.offset for answer in answers if answer.offset is not None]


def _of_driver(cluster: ClusterAccess, pod: str) -> list[OffsetRow]:
    told = cluster.ask_driver(pod, DRIVER_HTTP_PORT, "offsets")
    if told is None:
        raise Unreachable(f"driver {pod} does not tell its offsets yet; it starts, or its image is older than this")
    try:
        return [OffsetRow.model_validate_json(line) for line in told.splitlines()]
    except ValidationError as error:
        raise Unreachable(f"driver {pod} told its offsets in another form; use the version of its image") from error
