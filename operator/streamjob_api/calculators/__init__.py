"""Pipelines as manifests tell them: stages, the calculators that they name, and what flows between them.

What calculators calculate is in packages of their own (``catalogue``): here is what is known of them without a record.
"""

from streamjob_api.calculators.catalogue import catalogue
from streamjob_api.calculators.flow import Flow, Made
from streamjob_api.calculators.graph import Graph
from streamjob_api.calculators.node import Node
from streamjob_api.calculators.parameters import StageParameters
from streamjob_api.calculators.stages import SOURCE, OnRecordError, Stage

__all__ = ["SOURCE", "Flow", "Graph", "Made", "Node", "OnRecordError", "Stage", "StageParameters", "catalogue"]
