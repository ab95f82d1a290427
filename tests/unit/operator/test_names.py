"""Names and types against the OU's thing models: each row is one job and all that its author reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from streamjob_api.points import AttributeRef
from streamjob_operator.validation import Lineage, Refusal, Runnable, check, found_models, missing_models
from streamjob_operator.validation.jobs import footing
from unit.operator.builders import facts, job, resource

POINTS = {
    "Reading": ("AI", "double"),
    "Count": ("AI", "int"),
    "MaxReading": ("AI", "double"),
    "MaxCount": ("AI", "int"),
    "Records": ("AI", "long"),
    "EnergyDay": ("PI", "double"),
    "Energy30Min": ("PI", "float"),
    "Name": ("Generic", "string"),
    "IsOpen": ("DI", "bool"),
    "Curve": ("Generic", "array"),
}
ATTRIBUTES = {"Ratio": "double", "Site": "string"}
MODELS = {
    "models": [
        {
            "id": "Meter",
            "points": [{"id": name, "type": kind, "dataType": data} for name, (kind, data) in POINTS.items()],
            "attributes": [{"id": name, "dataType": data} for name, data in ATTRIBUTES.items()],
        },
        {"id": "Pump"},
    ]
}
FOUND = found_models("thing-models", {"models.yaml": yaml.safe_dump(MODELS)})


def told(block: str, value: dict[str, Any]) -> list[tuple[str, str]]:
    """Reason and message of all faults that rest on the models."""
    spec: dict[str, Any] = {"timeWindowAggregation": None, block: value}
    of = job(template={"name": TEMPLATES[block], "version": "1.0"}, **spec)
    by = resource(models={"configMap": "thing-models"})
    faults = footing(of, facts(by, models=FOUND)).faults
    mine = {"UnknownName", "TypeMismatch", "ModelsMissing", "ModelsInvalid", "InvalidSpec"}
    return [(fault.reason, fault.message) for fault in faults if fault.reason in mine]


def window(aggregation: str = "max", source: str = "Reading", output: str = "MaxReading") -> dict[str, Any]:
    policy = {
        "input": f"Meter::{source}",
        "aggregation": aggregation,
        "windowSize": "10m",
        "output": f"Meter::{output}",
    }
    return {"policies": [policy]}


def device_state(connection: str, site: str) -> dict[str, Any]:
    outputs = {"connectionOutput": connection, "siteOutput": site}
    return {"points": ["Meter::Reading"], "offlineAfter": "10m", "siteAttribute": "Meter::Site", **outputs}


def energy(**policy: Any) -> dict[str, Any]:
    given = {"input": "Meter::Reading", "slopeThreshold": "[0, 50]", "dailyOutput": "Meter::EnergyDay", **policy}
    return {"policies": [{name: value for name, value in given.items() if value is not None}]}


def merging(logic: str, output: str = "Meter::MaxReading") -> dict[str, Any]:
    return {"trigger": {"mode": "Frequency", "every": "1m"}, "policies": [{"logic": logic, "output": output}]}


WINDOWS, ENERGY, MERGING = "timeWindowAggregation", "energyByMeterReading", "multiPointMerging"
TEMPLATES = {
    WINDOWS: "time-window-aggregation",
    ENERGY: "energy-by-meter-reading",
    MERGING: "multi-point-merging",
    "energyByInstantPower": "energy-by-instant-power",
    "deviceState": "device-state",
}

RIGHT: list[tuple[str, dict[str, Any]]] = [
    (WINDOWS, window()),
    (WINDOWS, window("max", "Count", "MaxCount")),
    (WINDOWS, window("max", "Count", "MaxReading")),  # an integer fits a double
    (WINDOWS, window("cnt", "Reading", "Records")),
    (WINDOWS, window("count", "Reading", "MaxReading")),
    (WINDOWS, window("avg", "Count", "MaxReading")),
    (ENERGY, energy()),
    (ENERGY, energy(detailedOutput="Meter::Energy30Min", interval="30m", scaleAttribute="Meter::Ratio")),
    (MERGING, merging("${Meter::Reading} - ${Meter::Count} * ${Meter::Ratio}")),
    (MERGING, merging("${Meter::Count} + 1", "Meter::MaxCount")),
    (MERGING, merging("${Meter::Count} > 1 && ${Meter::Name} == 'a'", "Meter::IsOpen")),
    (MERGING, merging("if (${Meter::IsOpen}) { 'open' } else { 'shut' }", "Meter::Name")),
    (MERGING, merging("${Meter::Count} + 1", "Meter::Curve")),  # any other type gets a text
    ("deviceState", {"points": ["Meter::Reading", "Meter::Name"], "siteAttribute": "Meter::Site"}),
    ("deviceState", device_state("Meter::Name", "Meter::Count")),
    ("deviceState", device_state("Meter::Curve", "Meter::MaxReading")),  # any other type gets a text
]


@pytest.mark.parametrize(("block", "value"), RIGHT)
def test_what_the_models_have_is_right(block: str, value: dict[str, Any]) -> None:
    assert told(block, value) == []


WRONG: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        WINDOWS,
        window(source="Readin", output="Maximum"),
        [
            (
                "UnknownName",
                "policies[0].input: model 'Meter' has no point 'Readin'; did you mean 'Reading'?",
            ),
            (
                "UnknownName",
                (
                    "policies[0].output: model 'Meter' has no point 'Maximum'; its points are Count, Curve, "
                    "Energy30Min, EnergyDay, IsOpen, MaxCount, MaxReading, Name and 2 more"
                ),
            ),
        ],
    ),
    (
        WINDOWS,
        window(source="Name"),
        [
            (
                "TypeMismatch",
                "policies[0].input: 'Meter::Name' is of data type string, but a number is needed; name another one",
            )
        ],
    ),
    (
        WINDOWS,
        window("avg", "Reading", "MaxCount"),
        [
            (
                "TypeMismatch",
                (
                    "policies[0].output: 'Meter::MaxCount' is of data type int, but avg gives a double; "
                    "declare it double, or name another point"
                ),
            )
        ],
    ),
    (
        WINDOWS,
        window("max", "Reading", "EnergyDay"),
        [
            (
                "TypeMismatch",
                (
                    "policies[0].output: 'Meter::EnergyDay' is of point type PI, but the input 'Meter::Reading' of AI; "
                    "declare it AI, or name another point"
                ),
            )
        ],
    ),
    (
        WINDOWS,
        {"policies": [{"input": "Metre::A", "aggregation": "max", "windowSize": "1m", "output": "Metre::B"}]},
        [
            ("UnknownName", "policies[0].input: the OU's thing models have no model 'Metre'; did you mean 'Meter'?"),
            ("UnknownName", "policies[0].output: the OU's thing models have no model 'Metre'; did you mean 'Meter'?"),
        ],
    ),
    (
        ENERGY,
        energy(
            dailyOutput="Meter::MaxReading",
            scaleAttribute="Meter::Site",
            slopeThreshold=None,
            slopeLimitAttribute="Meter::Reading",
        ),
        [
            (
                "UnknownName",
                "policies[0].slopeLimitAttribute: 'Reading' is a point of model 'Meter'; name an attribute",
            ),
            (
                "TypeMismatch",
                (
                    "policies[0].scaleAttribute: 'Meter::Site' is of data type string, but a number is needed; "
                    "name another one"
                ),
            ),
            (
                "TypeMismatch",
                (
                    "policies[0].dailyOutput: 'Meter::MaxReading' is of point type AI, but an energy needs PI; "
                    "declare it PI, or name another point"
                ),
            ),
        ],
    ),
    (
        "energyByInstantPower",
        {"policies": [{"input": "Meter::Ratio", "dailyOutput": "Meter::Records"}]},
        [
            ("UnknownName", "policies[0].input: 'Ratio' is an attribute of model 'Meter'; name a point"),
            (
                "TypeMismatch",
                (
                    "policies[0].dailyOutput: 'Meter::Records' is of data type long, but an energy gives a double; "
                    "declare it double, or name another point"
                ),
            ),
            (
                "TypeMismatch",
                (
                    "policies[0].dailyOutput: 'Meter::Records' is of point type AI, but an energy needs PI; "
                    "declare it PI, or name another point"
                ),
            ),
        ],
    ),
    (
        MERGING,
        merging("${Meter::Name} * 2 + ${Meter::Raeding}"),
        [
            (
                "UnknownName",
                (
                    "policies[0].logic: column 22: model 'Meter' has no point or attribute 'Raeding'; "
                    "did you mean 'Reading'?"
                ),
            ),
            (
                "TypeMismatch",
                "policies[0].logic: column 16: '*' needs numbers, but '${Meter::Name}' is a text",
            ),
        ],
    ),
    (
        MERGING,
        merging("${Meter::Ratio} * 2"),
        [
            (
                "TypeMismatch",
                "policies[0].logic: reads attributes only; name at least one point, or use trigger mode Point",
            ),
        ],
    ),
    (
        MERGING,
        merging("${Meter::Count} / 2", "Meter::MaxCount"),
        [
            (
                "TypeMismatch",
                (
                    "policies[0].output: 'Meter::MaxCount' is of data type int, but the logic gives a double; "
                    "declare it double, or name another point"
                ),
            )
        ],
    ),
    (
        "deviceState",
        {"points": ["Meter::Redding"], "siteAttribute": "Meter::Sight"},
        [
            ("UnknownName", "points[0]: model 'Meter' has no point 'Redding'; did you mean 'Reading'?"),
            ("UnknownName", "siteAttribute: model 'Meter' has no attribute 'Sight'; did you mean 'Site'?"),
        ],
    ),
    (
        "deviceState",
        device_state("Meter::Count", "Meter::Name"),
        [
            (
                "TypeMismatch",
                (
                    "connectionOutput: 'Meter::Count' is of data type int, but a device's connection gives a string; "
                    "declare it string, or name another point"
                ),
            ),
            (
                "TypeMismatch",
                (
                    "siteOutput: 'Meter::Name' is of data type string, but a count of devices gives an integer; "
                    "declare it int, or name another point"
                ),
            ),
        ],
    ),
]


@pytest.mark.parametrize(("block", "value", "faults"), WRONG)
def test_all_faults_are_told_at_once(block: str, value: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    expected = [(reason, f"spec.{block}.{message}") for reason, message in faults]
    assert told(block, value) == expected


def test_a_model_without_points_says_so() -> None:
    value = {"points": ["Pump::Flow"]}
    assert told("deviceState", value) == [
        ("UnknownName", "spec.deviceState.points[0]: model 'Pump' has no point 'Flow'; it has no points")
    ]


def test_without_models_names_are_only_checked_for_their_form() -> None:
    assert isinstance(check(job(), facts(), Lineage()), Runnable)


def test_models_that_are_not_there_are_waited_for_and_wrong_ones_are_not() -> None:
    by = resource(models={"configMap": "thing-models"})
    absent = check(job(), facts(by, models=missing_models("thing-models")), Lineage())
    assert isinstance(absent, Refusal)
    assert (absent.reason, absent.may_come) == ("ModelsMissing", True)
    wrong = found_models("thing-models", {"models.yaml": "models: [{id: M, pionts: []}]"})
    refused = check(job(), facts(by, models=wrong), Lineage())
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.may_come) == ("ModelsInvalid", False)
    assert "did you mean 'points'?" in refused.message


def test_a_config_map_without_the_key_names_those_it_has() -> None:
    found = found_models("thing-models", {"model.yaml": ""})
    assert found.fault
    assert found.fault.message.endswith("it has no key models.yaml; its keys are model.yaml")


def test_a_driver_is_told_which_names_are_attributes_and_restarts_for_no_change_of_that() -> None:
    merging = {
        "trigger": {"mode": "Point"},
        "policies": [
            {
                "triggerPoint": "Meter::Reading",
                "logic": "${Meter::Reading} / ${Meter::Ratio}",
                "output": "Meter::MaxReading",
            }
        ],
    }
    of = job(
        template={"name": "multi-point-merging", "version": "1.0"},
        timeWindowAggregation=None,
        multiPointMerging=merging,
    )
    libraries = [{"name": "multi-point-merging", "version": "1.0"}]
    by = resource(libraries=libraries, models={"configMap": "thing-models"})
    known = replace(facts(by, models=FOUND), catalogue=None)
    told = footing(of, known).runnable
    untold = footing(of, replace(known, resource=resource(libraries=libraries))).runnable
    assert told
    assert untold
    assert told.names.attributes == [AttributeRef("Meter", "Ratio")]
    assert untold.names.attributes == []
    assert told.spec_hash == untold.spec_hash
    assert told.resolved_hash != untold.resolved_hash == ""


def test_models_of_another_config_map_are_not_taken() -> None:
    by = resource(models={"configMap": "other"})
    refused = check(job(), facts(by, models=FOUND), Lineage())
    assert isinstance(refused, Refusal)
    assert refused.reason == "ModelsMissing"


def test_many_faults_are_bounded_and_counted() -> None:
    policies = [
        {"input": f"Meter::In{n}", "aggregation": "max", "windowSize": "1m", "output": f"Meter::Out{n}"}
        for n in range(200)
    ]
    of = job(timeWindowAggregation={"policies": policies})
    refused = check(of, facts(resource(models={"configMap": "thing-models"}), models=FOUND), Lineage())
    assert isinstance(refused, Refusal)
    assert len(refused.faults) == 400
    assert len(refused.message) < 1700
    shown = refused.message.count("has no point")
    assert refused.message.endswith(f"; and {400 - shown} more")
