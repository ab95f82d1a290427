"""The third ring: what a job needs of its OU's other objects. Pure; the operator and the command ask the same."""

from streamjob_operator.validation.jobs import check, objection
from streamjob_operator.validation.lineage import Lineage, Member
from streamjob_operator.validation.manifests import WrittenJob, WrittenResource, check_manifests
from streamjob_operator.validation.models import FoundModels, found_models, missing_models
from streamjob_operator.validation.resources import OuFacts, capacity, in_force, resource_faults, slots
from streamjob_operator.validation.verdicts import Fault, Refusal, Runnable, Verdict, listed

__all__ = [
    "Fault",
    "FoundModels",
    "Lineage",
    "Member",
    "OuFacts",
    "Refusal",
    "Runnable",
    "Verdict",
    "WrittenJob",
    "WrittenResource",
    "capacity",
    "check",
    "check_manifests",
    "found_models",
    "in_force",
    "listed",
    "missing_models",
    "objection",
    "resource_faults",
    "slots",
]
