"""The operator and the runtime are of one mind about which change a state survives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.diffs import Diff
from streamjob_api.job_file import JobFile
from streamjob_api.spec_changes import changes, shown
from streamjob_api.state_identity import state_identity
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.templates import BLOCKS
from streamjob_runtime.checkpoint import identity
from streamjob_runtime.state_layout import StateLayout

EXAMPLES = Path(__file__).parents[3] / "examples"
TEMPLATES = [str(name) for name in BLOCKS]
JOB = {"namespace": "ou", "name": "j", "uid": "u", "created": "2026-01-31T00:00:00Z", "attempt": 1, "epoch": 0}


def document(template: str) -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load((EXAMPLES / template / "streamjob.yaml").read_text())["spec"]
    return written


def told(spec: dict[str, Any], **more: Any) -> JobFile:
    job = {**JOB, "generation": 1}
    given: dict[str, Any] = {"job": job, "orgId": "o1", "spec": spec, "kafka": {"bootstrapServers": "k:9092"}, **more}
    return JobFile.model_validate(given)


def of_operator(job: JobFile) -> dict[str, Any]:
    return state_identity(job.spec, job.org_id, job.source, job.timezone)


def of_runtime(job: JobFile) -> dict[str, Any]:
    return identity(job, StateLayout(4, 4))


LENGTHS = st.sampled_from(["10m", "600s", "20m", "1h", "60m", "3600s", "1d", "24h"])
THRESHOLDS = st.sampled_from(["[0, 100)", "[0,100)", "[0.0, 1e2)", "[0, 100]", "(-inf, +inf)", "[-0, 100)"])
AGGREGATIONS = st.sampled_from(["max", "min", "avg", "sum", "cnt", "count"])


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """A job of windows, of few values in many spellings, so that two of them often mean the same."""
    policies = [
        {
            "input": "M::A",
            "output": f"M::{name}",
            "windowSize": draw(LENGTHS),
            "aggregation": draw(AGGREGATIONS),
            **({"threshold": draw(THRESHOLDS)} if draw(st.booleans()) else {}),
        }
        for name in draw(st.permutations(["X", "Y"]))[: draw(st.integers(1, 2))]
    ]
    block: dict[str, Any] = {"policies": policies, "latency": draw(st.sampled_from(["0s", "1h", "60m"]))}
    return {**document("time-window-aggregation"), "timeWindowAggregation": block}


@given(one=windows(), other=windows(), org_ids=st.sampled_from([("o1", "o1"), ("o1", "o2")]))
def test_what_the_operator_calls_the_same_the_runtime_goes_on_with(
    one: dict[str, Any], other: dict[str, Any], org_ids: tuple[str, str]
) -> None:
    first, second = told(one, orgId=org_ids[0]), told(other, orgId=org_ids[1])
    if of_operator(first) == of_operator(second):
        assert of_runtime(first) == of_runtime(second)


@given(spec=windows(), data=st.data())
def test_how_it_is_written_takes_no_part(spec: dict[str, Any], data: st.DataObject) -> None:
    same = {"10m": "600s", "600s": "10m", "1h": "60m", "60m": "3600s", "3600s": "1h", "1d": "24h", "24h": "1d"}
    block = spec["timeWindowAggregation"]
    policies = [
        {**policy, "windowSize": same.get(policy["windowSize"], policy["windowSize"])} for policy in block["policies"]
    ]
    rewritten = {**block, "policies": data.draw(st.permutations(policies))}
    again = told({**spec, "timeWindowAggregation": rewritten})
    assert of_operator(told(spec)) == of_operator(again)
    assert of_runtime(told(spec)) == of_runtime(again)


@pytest.mark.parametrize("template", TEMPLATES)
def test_topics_channel_and_days_are_part_of_both(template: str) -> None:
    spec = document(template)
    base = told(spec)
    others = [
        told(spec, orgId="o2"),
        told(spec, source={"topics": {"origin": "plant", "offlineOrigin": "history"}}),
        told({**spec, "messageChannel": "Offline" if base.spec.message_channel == "RealTime" else "RealTime"}),
    ]
    for other in others:
        assert of_operator(other) != of_operator(base)
        assert of_runtime(other) != of_runtime(base)
    elsewhere = told(spec, timezone="Asia/Tokyo")
    assert (of_operator(elsewhere) == of_operator(base)) is (of_runtime(elsewhere) == of_runtime(base))
    assert of_operator(told(spec, source={"topics": {"cal": "results"}})) == of_operator(base)


def test_a_stage_is_what_it_means_however_it_is_called_and_written() -> None:
    def of(*stages: dict[str, Any]) -> JobFile:
        return told({**document("pipeline"), "pipeline": {"stages": [*stages]}})

    last: dict[str, Any] = {"name": "a", "calculator": "last-record-appender", "from": ["source"]}
    last["parameters"] = {"input": "M::A"}
    day: dict[str, Any] = {"name": "b", "calculator": "simplified-time-window-aggregator", "from": ["a"]}
    day["parameters"] = {"input": "M::A", "windowSize": "1d", "output": "M::B"}
    first = of(last, day)
    parameters = {**day["parameters"], "windowSize": "24h", "timezone": None}
    same = of({**day, "calculator": "delta-down-sampler", "parameters": parameters, "onRecordError": "Discard"}, last)
    other = of(last, {**day, "parameters": {**day["parameters"], "windowSize": "1h"}})
    assert of_operator(first) == of_operator(same) != of_operator(other)
    assert of_runtime(first) == of_runtime(same) != of_runtime(other)


def spec(**changed: Any) -> StreamJobSpec:
    return StreamJobSpec.model_validate({**document("time-window-aggregation"), **changed})


def test_changes_are_named_by_path_and_policies_by_their_output() -> None:
    def policies(*sizes: tuple[str, str]) -> dict[str, Any]:
        listed = [
            {"input": "M::A", "aggregation": "max", "windowSize": size, "output": f"M::{output}"}
            for output, size in sizes
        ]
        return {"policies": listed}

    before = spec(timeWindowAggregation=policies(("X", "10m"), ("Y", "10m")), rateLimit=10, alarms=None)
    after = spec(timeWindowAggregation=policies(("Z", "1h"), ("Y", "20m")), restartNonce=1, alarms=None)
    policy = '{"input": "M::A", "aggregation": "max", "windowSize": "1'
    assert [str(change) for change in changes(before, after)] == [
        f"spec.timeWindowAggregation.policies[0]: not set -> {policy}h...",
        "spec.timeWindowAggregation.policies[1].windowSize: 10m -> 20m",
        f"spec.timeWindowAggregation.policies[M::X]: {policy}0... -> not set",
        "spec.rateLimit: 10 -> 5000",
        "spec.restartNonce: 0 -> 1",
    ]
    assert changes(before, before) == []


def test_many_changes_are_counted() -> None:
    found = changes(spec(), StreamJobSpec.model_validate(document("energy-by-meter-reading")))
    assert shown(found).endswith(f" and {len(found) - 8} more")


def test_what_a_list_of_parts_says_is_part_of_a_stage() -> None:
    def of(trigger: str) -> JobFile:
        inputs = [{"point": point, "trigger": point == trigger} for point in ("M::A", "M::B")]
        parameters = {"inputs": inputs, "expression": "${M::A} - ${M::B}", "output": "M::C"}
        stage = {"name": "a", "calculator": "latest-record-merger", "from": ["source"], "parameters": parameters}
        return told({**document("pipeline"), "pipeline": {"stages": [stage]}})

    assert of_operator(of("M::A")) != of_operator(of("M::B"))
    assert of_runtime(of("M::A")) != of_runtime(of("M::B"))


def stage(name: str, calculator: str, *before: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, "calculator": calculator, "from": [*before], "parameters": parameters}


READ = stage("read", "off-limit-tagger", "source", input="M::A", threshold="[0, 9]")
SUMS = stage("sums", "simplified-time-window-aggregator", "read", input="M::A", windowSize="1h", output="M::B")
SHOWN = stage("shown", "record-filter", "sums", condition="${record::value} > 0")


@pytest.mark.parametrize(
    ("before", "after", "is_kept"),
    [
        ([READ, SUMS, SHOWN], [READ, SUMS], True),
        ([READ, SUMS, SHOWN], [READ, SUMS, {**SHOWN, "parameters": {"condition": "${record::value} > 5"}}], True),
        ([READ, SUMS, SHOWN], [READ, SUMS, SHOWN, stage("a", "kafka-sink", "shown", topic="t")], True),
        ([READ, SUMS, SHOWN], [READ, SUMS, {**SHOWN, "name": "other"}], True),
        (
            [READ, SUMS, SHOWN],
            [stage("read", "off-limit-tagger", "source", input="M::A", threshold="[0, 8]"), SUMS],
            False,
        ),
        ([READ, SUMS, SHOWN], [READ, {**SUMS, "name": "other"}], False),
        ([READ, SUMS, SHOWN], [READ, SUMS, SHOWN, {**SUMS, "name": "more"}], False),
        (
            [READ | {"parameters": {**READ["parameters"], "output": "M::B"}}],
            [READ | {"parameters": {"input": "M::C", "threshold": "[0, 1]", "output": "M::B"}}],
            True,
        ),
    ],
)
def test_stages_that_no_state_rests_on_may_change(
    before: list[dict[str, Any]], after: list[dict[str, Any]], is_kept: bool
) -> None:
    first, second = (told({**document("pipeline"), "pipeline": {"stages": stages}}) for stages in (before, after))
    assert (of_operator(first) == of_operator(second)) is is_kept
    assert (of_runtime(first) == of_runtime(second)) is is_kept
    found = changes(first.spec, second.spec)
    assert found
    assert any(change.diff is Diff.STATE_BREAKING for change in found) is not is_kept
