"""Calculators of packages that are not installed here, but in the image that the job runs in."""

from dataclasses import replace
from typing import Any

from pydantic import ConfigDict

from streamjob_api.calculators.flow import Flow
from streamjob_api.calculators.parameters import StageParameters
from streamjob_api.points import PointRef


class Foreign(StageParameters):
    """Parameters of which nothing is known but what they are called, by custom.

    ``input``, ``inputs`` and ``points`` name the points that it takes, ``output`` the one that it gives. The driver, in
    whose image the package is, holds the pipeline to what the calculator itself says.
    """

    model_config = ConfigDict(extra="allow")

    def takes(self) -> frozenset[PointRef] | None:
        """Return the points of ``input``, ``inputs`` and ``points``; without any of them, whatever comes."""
        named = [
            point for name in ("input", "inputs", "points") for point in _points((self.model_extra or {}).get(name))
        ]
        return frozenset(named) or None

    def gives(self, coming: Flow) -> Flow:
        """Return the point of ``output``; without one, what comes."""
        given = _points((self.model_extra or {}).get("output"))
        return replace((coming.made(given[0]) if given else coming).untyped(), attaches_more=True)


def _points(written: Any) -> list[PointRef]:
    """Return the points of a parameter; what is of another form names none."""
    if isinstance(written, list):
        return [point for each in written for point in _points(each)]
    if isinstance(written, dict):
        return _points(written.get("point"))
    try:
        return [PointRef.parse(written)] if isinstance(written, str) else []
    except ValueError:
        return []
