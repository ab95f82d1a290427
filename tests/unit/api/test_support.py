"""What manifests may say, but this version refuses; in words for their author."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.support import unsupported, unsupported_names
from streamjob_api.thing_models import ThingModels

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = REPOSITORY / "examples"


def spec(example: str, **changes: Any) -> StreamJobSpec:
    document = yaml.safe_load((EXAMPLES / example / "streamjob.yaml").read_text())
    return StreamJobSpec.model_validate({**document["spec"], **changes})


@pytest.mark.parametrize(
    "example",
    [
        "time-window-aggregation",
        "meter-extremes",
        "energy-by-instant-power",
        "energy-by-average-power",
        "multi-point-merging",
    ],
)
def test_these_examples_run(example: str) -> None:
    assert unsupported(spec(example)) == []


def test_a_template_that_is_not_there_is_refused_with_those_that_are() -> None:
    (fault,) = unsupported(spec("device-state"))
    assert fault == (
        "spec.template.name: device-state is not supported by this version yet; it has time-window-aggregation, "
        "energy-by-meter-reading, energy-by-instant-power, energy-by-average-power, multi-point-merging"
    )


def test_a_policy_that_is_bound_to_attributes_is_refused_by_name() -> None:
    path, why = "spec.energyByMeterReading.policies[1]", "binding to an attribute is not supported by this version yet"
    assert unsupported(spec("energy-by-meter-reading")) == [
        f"{path}.slopeLimitAttribute: {why}; write slopeThreshold",
        f"{path}.scaleAttribute: {why}; write scale",
    ]


def merging(*logics: str, **trigger: str) -> StreamJobSpec:
    at = {} if trigger else {"triggerPoint": "M::a"}
    policies = [{**at, "logic": logic, "output": f"M::out{number}"} for number, logic in enumerate(logics)]
    return spec(
        "multi-point-merging", multiPointMerging={"trigger": trigger or {"mode": "Point"}, "policies": policies}
    )


def test_a_frequency_is_refused() -> None:
    assert unsupported(merging("${M::a} * 2", mode="Frequency", every="10m")) == [
        "spec.multiPointMerging.trigger.mode: Frequency is not supported by this version yet; write Point"
    ]


def test_expressions_over_anything_but_numbers_are_refused() -> None:
    path, why = "spec.multiPointMerging.policies", "is not supported by this version yet"
    logics = [
        "${M::a} * 2",
        "${M::a} > ${M::b}",
        'if (${M::a} > 1) { "on" } else { "off" }',
        "if (${M::a}) { 1 } else { 2 }",
    ]
    condition = "column 1: 'if' needs true or false, but '${M::a}' is a number"
    assert unsupported(merging(*logics)) == [
        f"{path}[1].logic: a result that is true or false {why}; let it give a number",
        f"{path}[2].logic: a result that is a text {why}; let it give a number",
        f"{path}[3].logic: {condition}; an expression over anything but numbers {why}",
    ]


def test_an_attribute_in_an_expression_is_refused_where_the_models_say_that_it_is_one() -> None:
    folder = EXAMPLES / "multi-point-merging"
    models = yaml.safe_load((folder / "thing-models.yaml").read_text())["data"]["models.yaml"]
    (fault,) = unsupported_names(spec("multi-point-merging"), ThingModels.parse(models))
    assert fault == (
        "spec.multiPointMerging.policies[1].logic: 'Boiler::MaxSpread' is an attribute; reading attributes is not "
        "supported by this version yet; write its value"
    )
    assert unsupported_names(spec("energy-by-meter-reading"), ThingModels.parse(models)) == []


def test_the_charts_catalogue_has_the_templates_that_are_there() -> None:
    values = yaml.safe_load((REPOSITORY / "charts" / "streamjob-operator" / "values.yaml").read_text())
    (fault,) = unsupported(spec("device-state"))
    assert fault.endswith(f"; it has {', '.join(entry['name'] for entry in values['catalogue'])}")
