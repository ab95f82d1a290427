"""Attributes of assets that a job binds: they are read from Redis, so that its OU needs one."""

from collections.abc import Iterator

from streamjob_api.points import PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.thing_models import ThingModels
from streamjob_operator import reasons
from streamjob_operator.validation.verdicts import Fault

# What to write in place of an attribute.
_INSTEAD = {
    "slopeLimitAttribute": "write slopeThreshold",
    "scaleAttribute": "write scale",
    "logic": "write its value",
}


def faults_without_redis(spec: StreamJobSpec, resource: str, models: ThingModels | None) -> Iterator[Fault]:
    """Faults of a job in an OU whose StreamResource names no Redis."""
    for node in spec.pipeline.graph.nodes if spec.pipeline else ():
        if node.parameters.needs_redis():
            yield Fault(
                reasons.REDIS_MISSING,
                f"spec.{spec.block.BLOCK}.stages[{node.number}]: {node.stage.calculator} reads Redis, but "
                f"StreamResource {resource} names none; ask for spec.redis",
                may_come=True,
            )
    for path, attribute in _bound(spec, models):
        instead = _INSTEAD.get(path.rpartition(".")[2], "leave it out")
        yield Fault(
            reasons.REDIS_MISSING,
            f"spec.{path}: '{attribute}' is an attribute, which is read from Redis, but StreamResource {resource} "
            f"names none; ask for spec.redis, or {instead}",
            may_come=True,
        )


def _bound(spec: StreamJobSpec, models: ThingModels | None) -> Iterator[tuple[str, PointRef]]:
    """Attributes, each with the path of the field that names it. Without models, names in expressions are points."""
    readings, devices, merging = spec.energy_by_meter_reading, spec.device_state, spec.multi_point_merging
    for number, policy in enumerate(readings.policies if readings else ()):
        for field, attribute in policy.attributes().items():
            yield f"{spec.block.BLOCK}.policies[{number}].{field}", attribute
    if devices and devices.site_attribute:
        yield f"{devices.BLOCK}.siteAttribute", devices.site_attribute
    for node in spec.pipeline.graph.nodes if spec.pipeline else ():
        for field, attribute in node.parameters.attributes().items():
            yield f"{spec.block.BLOCK}.stages[{node.number}].parameters.{field}", attribute
    for number, merged in enumerate(merging.policies if merging and models else ()):
        for name in sorted(merged.logic.variables):
            if models and models.attribute(name) and not models.point(name):
                yield f"{spec.block.BLOCK}.policies[{number}].logic", name
