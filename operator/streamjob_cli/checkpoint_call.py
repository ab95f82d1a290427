"""Asking a job's checkpoint, or editing it: by a short pod beside it."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from pydantic import ValidationError

from streamjob_api.checkpoint_tools import MAX_REQUEST_CHARACTERS, Action, Answer, ToolRequest, to_arguments
from streamjob_cli.cluster_access import ClusterAccess, Unreachable
from streamjob_cli.job_standing import WrongState, subject_of
from streamjob_cli.printable import printable
from streamjob_cli.tool_pod import tool_pod

_MISSING_MODULE = "No module named"
_SHOWN_LINES = 5


def call(cluster: ClusterAccess, job: dict[str, Any], request: ToolRequest) -> list[Answer]:
    """Carry out a request; the last answer is ``done``.

    Raises:
        WrongState: it is refused.
        Unreachable: the pod cannot be run, or gives no whole answer.
    """
    name = job["metadata"]["name"]
    subject = subject_of(job, cluster.drivers(name), cluster.config_maps(name), cluster.resources())
    arguments = to_arguments(request)
    if sum(map(len, arguments)) > MAX_REQUEST_CHARACTERS:
        raise WrongState("too many assets for one call; name fewer, or a pattern such as 'meter-*'")
    pod = tool_pod(subject, arguments, needs_spark=request.action is Action.SHOW_STATE)
    with _interruptible(), cluster.short_pod(pod) as running:
        _tell(f"pod {running} is starting")
        for why in cluster.await_start(running):
            _tell(f"pod {running} waits: {why}")
        _tell(f"pod {running} reads the checkpoint")
        found = answers_of(cluster.log_lines(running), subject.image)
    _tell(f"pod {running} is removed")
    return found


def answers_of(lines: Iterator[str], image: str) -> list[Answer]:
    """Read a pod's answers out of its log, up to the last one.

    Raises:
        WrongState: the request was refused.
        Unreachable: the pod ended without the whole answer.
    """
    found: list[Answer] = []
    others: list[str] = []
    for line in lines:
        answer = _answer(line)
        if answer is None:
            others.append(line)
            continue
        if answer.refused is not None:
            raise WrongState(answer.refused)
        found.append(answer)
        if answer.done is not None:
            return _whole(found)
    if any(_MISSING_MODULE in line for line in others):
        raise Unreachable(f"image {image} is older than this command and has no such tool")
    last = "; ".join(printable(line) for line in others[-_SHOWN_LINES:])
    raise Unreachable(f"the pod ended without an answer: {last or 'its log is empty'}")


def _whole(found: Sequence[Answer]) -> list[Answer]:
    done = found[-1].done
    came, sent = sum(one.offset is not None or one.held is not None for one in found), done.rows if done else 0
    if came != sent:
        raise Unreachable(f"of the pod's {sent} rows {came} came through its log; name fewer assets")
    return list(found)


def _answer(line: str) -> Answer | None:
    try:
        return Answer.model_validate_json(line)
    except ValidationError:
        return None


def _tell(what: str) -> None:
    click.echo(f"{printable(what)}", err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does: what it made is removed."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
