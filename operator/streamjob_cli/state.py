"""``streamjob state``: what a job's state holds of some assets and points, and forgetting it."""

import click

from streamjob_api.checkpoint_tools import MAX_COMBINATIONS, Action, ToolRequest
from streamjob_api.points import PointRef
from streamjob_cli.checkpoint_call import call
from streamjob_cli.job_standing import WrongState, refuse_unless_paused
from streamjob_cli.offsets import JobName
from streamjob_cli.row_tables import show_held, show_pending


def show(asked: JobName, assets: tuple[str, ...], points: tuple[PointRef, ...], form: str | None) -> None:
    """Print what the last committed micro-batch left."""
    cluster = asked.cluster()
    request = _request(Action.SHOW_STATE, assets, points)
    answers = call(cluster, cluster.job(asked.name), request)
    show_pending([answer.pending for answer in answers if answer.pending is not None])
    show_held([answer.held for answer in answers if answer.held is not None], form)


def delete(asked: JobName, assets: tuple[str, ...], points: tuple[PointRef, ...], *, is_sure: bool) -> None:
    """Let a paused job forget some assets and points when it goes on."""
    cluster, request = asked.cluster(), _request(Action.FORGET_STATE, assets, points)
    job = cluster.job(asked.name)
    refuse_unless_paused(job, cluster.drivers_and_executors(asked.name), "delete its state")
    if not is_sure:
        named = f"{', '.join(map(str, points))}" if points else "all of its points"
        what = f"the state of {len(assets):,} assets or patterns ({', '.join(assets[:3])}, ...)"
        click.confirm(f"Let {asked.name} forget {what} and {named}?", abort=True, err=True)
    answers = call(cluster, job, request)
    show_pending([answer.pending for answer in answers if answer.pending is not None])
    click.echo(
        f"{asked.name} forgets this as it goes on (spec.state: Running); the next record starts afresh", err=True
    )


def _request(action: Action, assets: tuple[str, ...], points: tuple[PointRef, ...]) -> ToolRequest:
    if len(assets) * max(1, len(points)) > MAX_COMBINATIONS:
        raise WrongState(
            f"{len(assets):,} assets times {len(points)} points are more than {MAX_COMBINATIONS:,}; name fewer at once"
        )
    return ToolRequest(action=action, assets=list(dict.fromkeys(assets)), points=sorted(set(points)))
