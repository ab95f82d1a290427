"""The OU's thing models, as they were found in their ConfigMap."""

from collections.abc import Mapping
from dataclasses import dataclass

from streamjob_api.thing_models import InvalidThingModels, ThingModels
from streamjob_operator import reasons
from streamjob_operator.validation.verdicts import Fault

MODELS_KEY = "models.yaml"


@dataclass(frozen=True, eq=False)
class FoundModels:
    """What a ConfigMap holds: models, or what is wrong."""

    config_map: str
    models: ThingModels | None = None
    fault: Fault | None = None


def found_models(config_map: str, data: Mapping[str, str]) -> FoundModels:
    """Read the data of a ConfigMap; a text of 1 MiB takes a second, so ask once for each version of it."""
    text = data.get(MODELS_KEY)
    if text is None:
        keys = f"its keys are {', '.join(sorted(data))}" if data else "it is empty"
        return _invalid(config_map, f"it has no key {MODELS_KEY}; {keys}")
    try:
        return FoundModels(config_map, ThingModels.parse(text))
    except InvalidThingModels as faults:
        return _invalid(config_map, str(faults))


def missing_models(config_map: str, why: str = "is not there") -> FoundModels:
    """There is no such ConfigMap, or it cannot be read."""
    message = (
        f"ConfigMap {config_map} with the OU's thing models {why}; apply it, or correct spec.models of the resource"
    )
    return FoundModels(config_map, fault=Fault(reasons.MODELS_MISSING, message, may_come=True))


def _invalid(config_map: str, faults: str) -> FoundModels:
    message = f"ConfigMap {config_map} with the OU's thing models is wrong: {faults}"
    return FoundModels(config_map, fault=Fault(reasons.MODELS_INVALID, message))
