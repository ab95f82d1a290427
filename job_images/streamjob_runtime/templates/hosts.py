"""Other hosts that a stage may ask: what is asked, how, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streamjob_runtime.faults import InvalidConfiguration

NOT_LISTED = "a stage asks a host that spec.pipelines.http.hosts does not list; ask for it"


@dataclass(frozen=True)
class Request:
    """What is asked; equal ones have the same answer."""

    method: str
    url: str
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        document: JSON; None where there is none.
        cause: why there is none, without the address or any secret.
    """

    document: Any = None
    cause: str | None = None


@dataclass(frozen=True)
class Asking:
    """How a stage asks.

    Attributes:
        timeout_seconds: time for an attempt, from looking up the host's name to the end of its answer.
        retries: further attempts where a request may pass later.
        parallelism: requests under way at once.
        kept_seconds: how long an answer serves equal requests of later micro-batches.
    """

    timeout_seconds: float
    retries: int
    parallelism: int
    kept_seconds: float


class Hosts(Protocol):
    """The hosts that the OU's StreamResource lists."""

    def ask(self, requests: Sequence[Request], asking: Asking) -> list[Answer]:
        """Return the answers in the order of the requests; equal ones are asked once.

        Raises:
            InvalidConfiguration: a host is not listed.
        """
        ...


class NoHosts:
    """None is listed."""

    def ask(self, requests: Sequence[Request], asking: Asking) -> list[Answer]:  # noqa: ARG002
        """Refuse any request."""
        if requests:
            raise InvalidConfiguration(NOT_LISTED)
        return []
