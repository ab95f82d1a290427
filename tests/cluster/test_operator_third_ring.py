"""What a job needs of its OU's other objects, on the real API server: refused in words, waited for, healed."""

from __future__ import annotations

import json
from typing import Any

from cluster.operator_process import (
    TEMPLATE,
    Manifest,
    OperatorProcess,
    Ou,
    condition,
    is_ready,
    reason,
    stream_job,
    stream_resource,
    thing_models,
)
from fixtures.eventually import eventually
from localcluster.problems import ClusterError

MODELS = {"configMap": "thing-models"}


def windows(source: str, output: str) -> Manifest:
    policy = {"input": source, "aggregation": "max", "windowSize": "10m", "output": output}
    return {"timeWindowAggregation": {"policies": [policy]}}


def told(status: Manifest, kind: str = "Ready") -> str:
    return str(condition(status, kind).get("message", ""))


def resource_until(ou: Ou, wanted: str, kind: str = "Ready") -> Manifest:
    return eventually(
        lambda: ou.get("streamresource", "energy").get("status", {}), until=lambda seen: reason(seen, kind) == wanted
    )


def test_a_draft_holds_nothing_and_released_reserves_outputs_and_neither_runs(
    ou: Ou, operator: OperatorProcess
) -> None:
    ou.apply(stream_resource(), stream_job("a-plan", state="Draft", **windows("M::A", "M::B")))
    status = ou.job_until("a-plan", lambda status: reason(status) == "Draft")
    assert is_ready(status)
    assert (status["phase"], reason(status, "SpecValid")) == ("Draft", "Valid")

    ou.apply(stream_job("b-other", state="Released", **windows("M::A", "M::B")))
    assert is_ready(ou.job_until("b-other", lambda status: reason(status) == "Released"))
    ou.patch("a-plan", {"state": "Released"})
    ou.job_until("a-plan", lambda status: reason(status) == "Released" and is_ready(status))
    status = ou.job_until("b-other", lambda status: reason(status, "Stalled") == "OutputTaken")
    assert "M::B is written by the older StreamJob a-plan" in told(status)
    assert ou.pods() == []

    ou.patch("a-plan", {"state": "Running"})
    ou.job_until("a-plan", lambda status: reason(status) == "Running" and is_ready(status))
    ou.patch("a-plan", {"state": "Draft"})
    status = ou.job_until("a-plan", lambda status: reason(status) == "Draft")
    assert "state and offsets are dropped" in told(status)
    assert (status["deployed"]["epoch"], status["admittedCu"]) == (1, 0)
    eventually(ou.pods, until=lambda pods: not pods)
    ou.job_until("b-other", lambda status: reason(status) == "Released" and is_ready(status))


def test_a_released_job_that_could_not_run_says_why(ou: Ou, operator: OperatorProcess) -> None:
    sizes = {"mode": "Cluster", "master": {"cu": 1}, "workers": 3, "worker": {"cu": 2}}
    ou.apply(stream_resource(), stream_job("large", state="Released", resources=sizes))
    status = ou.job_until("large", lambda status: reason(status, "SpecValid") == "StorageNotShared")
    assert "needs 7 CU of cluster (master 1 + 3 workers of 2), but StreamResource energy has 0" in told(status)
    assert reason(status, "Stalled") == "StorageNotShared"


def test_thing_models_are_waited_for_and_their_changes_are_seen(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(models=MODELS), stream_job("named", state="Released", **windows("M::A", "M::B")))
    status = ou.job_until("named", lambda status: reason(status) == "ModelsMissing")
    assert reason(status, "Reconciling") == "WaitingForResource"
    assert reason(resource_until(ou, "ModelsMissing"), "Reconciling") == "WaitingForResource"

    ou.apply(thing_models("A", "Bee"))
    status = ou.job_until("named", lambda status: reason(status, "Stalled") == "UnknownName")
    assert "spec.timeWindowAggregation.policies[0].output: model 'M' has no point 'B'" in told(status)
    resource_until(ou, "InForce")

    ou.apply(thing_models("A", "B"))
    ou.job_until("named", is_ready)

    ou.apply(thing_models(text="models: [{id: M, points: [{id: A, type: XY, dataType: double}]}]"))
    status = ou.job_until("named", lambda status: reason(status, "Stalled") == "ModelsInvalid")
    assert "models[0].points[0].type" in told(status)
    assert "models[0].points[0].type" in told(resource_until(ou, "ModelsInvalid"))


def test_a_driver_goes_on_while_its_names_are_unknown(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(thing_models("A", "B"), stream_resource(models=MODELS), stream_job("kept", **windows("M::A", "M::B")))
    ou.job_until("kept", is_ready)
    (driver,) = ou.pods()
    ou.apply(thing_models("A"))
    status = ou.job_until("kept", lambda status: reason(status, "Stalled") == "UnknownName")
    assert condition(status, "DriverReady")["status"] == "True"
    ou.apply(thing_models("A", "B"))
    ou.job_until("kept", is_ready)
    assert [pod["metadata"]["uid"] for pod in ou.pods()] == [driver["metadata"]["uid"]]


def test_models_and_a_job_that_are_applied_together_are_judged_together(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(thing_models("A", "B"), stream_resource(models=MODELS), stream_job("first", state="Draft"))
    ou.job_until("first", lambda status: reason(status) == "UnknownName")
    ou.apply(thing_models("A", "B", "C"), stream_job("second", state="Released", **windows("M::A", "M::C")))
    ou.job_until("second", lambda status: reason(status) == "Released")
    warnings = [event for event in ou.items("events.events.k8s.io") if event["regarding"]["name"] == "second"]
    assert {event["reason"] for event in warnings} == {"Released"}


def test_the_newest_job_of_a_loop_is_refused_until_an_older_one_changes(ou: Ou, operator: OperatorProcess) -> None:
    # Created in one second, the name decides who is older.
    ou.apply(stream_resource(), stream_job("a-out", state="Released", **windows("M::x", "M::y")))
    ou.job_until("a-out", is_ready)
    ou.apply(stream_job("b-back", state="Released", **windows("M::y", "M::x")))
    status = ou.job_until("b-back", lambda status: reason(status, "Stalled") == "LineageLoop")
    assert "M::y -(b-back)-> M::x -(a-out)-> M::y" in told(status)
    ou.patch("a-out", windows("M::z", "M::y"))
    ou.job_until("b-back", is_ready)
    ou.patch("a-out", windows("M::x", "M::y"))
    ou.job_until("b-back", lambda status: reason(status, "Stalled") == "LineageLoop")
    ou.patch("a-out", {"state": "Draft"})
    ou.job_until("b-back", is_ready)
    assert ou.pods() == []


def test_a_removed_library_keeps_its_slot_until_its_driver_ends(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource(), stream_job("user"))
    ou.job_until("user", is_ready)
    status = resource_until(ou, "InForce")
    assert [(entry["state"], entry["usedBy"]) for entry in status["libraries"]] == [("Installed", ["user"])]

    others = [{"name": "time-window-agregation", "version": f"{number}.0"} for number in (1, 2, 3)]
    ou.apply(stream_resource(libraries=others))
    job = ou.job_until("user", lambda status: reason(status) == "TemplateNotInstalled")
    assert "was removed from StreamResource energy; a driver that runs goes on" in told(job)
    assert condition(job, "DriverReady")["status"] == "True"
    status = resource_until(ou, "LibrarySlotsExceeded")
    assert states(status) == {"1.0 of " + TEMPLATE["name"]: "Removing"} | {
        f"{number}.0 of time-window-agregation": "NotInCatalogue" for number in (1, 2, 3)
    }
    assert status["librarySlots"] == {"total": 3, "used": 3}
    assert "did you mean 'time-window-aggregation'?" in told(status)

    ou.patch("user", {"state": "Stopped"})
    eventually(ou.pods, until=lambda pods: not pods)
    status = resource_until(ou, "LibraryUnknown")
    assert TEMPLATE["name"] not in {entry["name"] for entry in status["libraries"]}


def states(status: Manifest) -> dict[str, str]:
    return {f"{entry['version']} of {entry['name']}": entry["state"] for entry in status["libraries"]}


# What the schema lets through, or may some day; the model, and whoever reads it, must not stumble.
ODD_SPECS: dict[str, dict[str, Any]] = {
    "huge-duration": {"lifecycle": {"pauseLimit": "9" * 30 + "d"}},
    "old-time": {"startFrom": {"mode": "Timestamp", "time": "0000-01-01T00:00:00Z"}},
    "leap-second": {"startFrom": {"mode": "Timestamp", "time": "2016-12-31T23:59:60Z"}},
    "no-such-day": {"startFrom": {"mode": "Timestamp", "time": "2026-02-30T00:00:00Z"}},
    "own-output": windows("M::A", "M::A"),
    "huge-threshold": {
        "timeWindowAggregation": {
            "policies": [windows("M::A", "M::B")["timeWindowAggregation"]["policies"][0] | {"threshold": "(1e999, 2]"}]
        }
    },
    "deep-parameters": {
        "template": {"name": "pipeline", "version": "1.0"},
        "timeWindowAggregation": None,
        "pipeline": {
            "stages": [
                {
                    "name": "odd",
                    "calculator": "point-selector",
                    "from": ["source"],
                    "parameters": {"points": json.loads("[" * 60 + "]" * 60), "n": 10**25, "none": None},
                }
            ]
        },
    },
    "long-expression": {
        "template": {"name": "multi-point-merging", "version": "1.0"},
        "timeWindowAggregation": None,
        "multiPointMerging": {
            "trigger": {"mode": "Point"},
            "policies": [{"triggerPoint": "M::A", "output": "M::B", "logic": "(" * 2000 + "${M::A}" + ")" * 2000}],
        },
    },
}


def test_odd_specs_are_refused_in_words_and_never_stop_the_operator(ou: Ou, operator: OperatorProcess) -> None:
    ou.apply(stream_resource())
    refusals = {name: refused(ou, name, spec) for name, spec in ODD_SPECS.items()}
    assert all("spec" in words for words in refusals.values() if words), refusals
    taken = [name for name, words in refusals.items() if not words]
    assert taken
    for name in taken:
        status = ou.job_until(name, lambda status: condition(status, "Ready").get("status") == "False")
        assert told(status).startswith("spec."), (name, status)
    ou.apply(stream_job("sane", state="Draft"))
    ou.job_until("sane", is_ready)


def refused(ou: Ou, name: str, spec: dict[str, Any]) -> str:
    """What the API server says against it; empty where it took it."""
    manifest = stream_job(name)
    manifest["spec"] = {field: value for field, value in (manifest["spec"] | spec).items() if value is not None}
    try:
        ou.cluster.kubectl("create", "-n", ou.namespace, "-f", "-", input=json.dumps(manifest))
    except ClusterError as words:
        return str(words)
    return ""
