"""Whether a pipeline's stages can run on this machine: asked once, before any record is read."""

from collections.abc import Iterator

from streamjob_api.permissions import Permissions
from streamjob_api.templates.pipeline import Pipeline
from streamjob_calculators.kit import Calculator
from streamjob_runtime.faults import InvalidConfiguration


def check_stages(pipeline: Pipeline | None, allowed: Permissions) -> None:
    """Do nothing where all stages can run.

    Raises:
        InvalidConfiguration: naming each one that cannot, and why.
    """
    faults = [*_faults(pipeline, allowed)] if pipeline else []
    if faults:
        raise InvalidConfiguration("; ".join(faults))


def _faults(pipeline: Pipeline, allowed: Permissions) -> Iterator[str]:
    for node in pipeline.graph.nodes:
        if isinstance(node.parameters, Calculator):
            try:
                node.parameters.check_ready(allowed)
            except InvalidConfiguration as fault:
                yield f"spec.pipeline.stages[{node.number}]: {fault.message}"
