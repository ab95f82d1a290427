"""A stage of a pipeline among the others."""

from dataclasses import dataclass

from streamjob_api.calculators.flow import Flow
from streamjob_api.calculators.parameters import StageParameters
from streamjob_api.calculators.stages import Stage


@dataclass(frozen=True)
class Node:
    """A stage and what flows through it.

    Attributes:
        number: of the stage in the manifest.
        coming: the records that it works on.
        given: the records that it gives.
        is_last: whether no stage reads it.
    """

    number: int
    stage: Stage
    parameters: StageParameters
    coming: Flow
    given: Flow
    is_last: bool
