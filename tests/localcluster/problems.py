"""What stops the local cluster, said so that a person can remove it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that is missing, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}. Remedy: {self.remedy}"


class ClusterError(RuntimeError):
    """The cluster cannot be had; the message is meant for a person and complete without a traceback."""


class MissingPrerequisitesError(ClusterError):
    """All that is missing on this machine, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"- {problem}" for problem in problems))
