"""Every field of a job's spec does to a running job what its class says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from streamjob_api.alarms import Alarms
from streamjob_api.calculators import Stage
from streamjob_api.diffs import Diff, diff_of
from streamjob_api.lifecycle import DesiredState
from streamjob_api.resources import Pod as PodSize
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.templates import BLOCKS
from streamjob_api.templates.pipeline import Pipeline
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.jobs.course import Observed
from streamjob_operator.jobs.decide import decide
from streamjob_operator.observed import Job
from streamjob_operator.validation import OuFacts, Runnable
from streamjob_operator.validation.jobs import footing
from unit.operator.builders import NOW, job, pod, resource

EXAMPLES = Path(__file__).parents[3] / "examples"
TEMPLATES = [str(name) for name in BLOCKS]
# What a manifest may leave out, filled in so that its own fields are tried, too.
PARTS = {"alarms": Alarms.model_validate({"lag": 5, "for": "2m"}), "master": PodSize(cu=1), "worker": PodSize(cu=2)}
# Fields with one possible value; the state that a user asks for is a lifecycle's matter; a template has its block.
APART = {"spec.timeWindowAggregation.policies[0].interpolation", "spec.multiPointMerging.trigger.interpolation"}
APART |= {"spec.state", "spec.template.name"}
OTHERS: tuple[Any, ...] = (
    "7m",
    "11m",
    "[0, 7]",
    "M::Other",
    "other",
    "UTC",
    1.5,
    2,
    3,
    True,
    ["M::Other"],
    ["other"],
    {"a": 1},
)


# Behind the stages of the example, so that there is a state that rests on them.
KEPT = {
    "name": "kept",
    "calculator": "last-record-appender",
    "from": ["tag"],
    "parameters": {"input": "Mill::SpeedTagged"},
}
# Stages fit each other, so that another value of one field may need another one of a second field: by field of a stage.
STAGES: dict[str, list[dict[str, Any]]] = {
    "name": [{"name": "other"}, {"from": ["other"]}],
    "calculator": [{"calculator": "late-point-tagger", "parameters": {"input": "Mill::Speed"}}, {}],
    "from": [{}, {"from": ["source", "select"]}],
    "parameters": [{}, {"parameters": {"input": "Mill::Speed", "threshold": "[0, 7]", "output": "Mill::SpeedTagged"}}],
    "qualities": [{}, {"qualities": [0, 192]}],
    "precondition": [{}, {"precondition": "${Mill::Speed} > 7"}],
    "onRecordError": [{}, {"onRecordError": "StopPipeline"}],
}


def written(template: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / template / "streamjob.yaml").read_text())["spec"]
    if template == "pipeline":
        document["pipeline"]["stages"].append(KEPT)
    return document


def spec_of(template: str) -> StreamJobSpec:
    parsed: StreamJobSpec = StreamJobSpec.model_validate({**written(template), "description": ""})
    return parsed.model_copy(update={"alarms": PARTS["alarms"], "state": DesiredState.RUNNING})


def variants(part: BaseModel, path: str = "spec") -> Iterator[tuple[str, Diff, Any]]:
    """Each field of a part of a spec with another value: its path, its class, the changed part."""
    for name, field in type(part).model_fields.items():
        where, value = f"{path}.{field.alias or name}", getattr(part, name)
        diff = diff_of(field)
        value = PARTS.get(name) if value is None and diff is None else value
        if isinstance(value, BaseModel):
            below = variants(value, where)
        elif isinstance(value, list) and value and isinstance(value[0], Stage):
            below = stages(part, where)
        elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
            below = ((at, of, [changed, *value[1:]]) for at, of, changed in variants(value[0], f"{where}[0]"))
        elif diff is not None and where not in APART:
            below = iter([(where, diff, another(name, field, value))])
        else:
            continue
        yield from ((at, of, part.model_copy(update={name: changed})) for at, of, changed in below)


def stages(part: BaseModel, path: str) -> Iterator[tuple[str, Diff, Any]]:
    """Each field of a pipeline's stages with another value."""
    before = part.model_dump(mode="json")["stages"]
    assert {field.alias or name for name, field in Stage.model_fields.items()} == {*STAGES}
    for name, field in Stage.model_fields.items():
        changed = [
            {**stage, **change} for stage, change in zip(before, [*STAGES[field.alias or name], {}], strict=True)
        ]
        diff = diff_of(field)
        assert diff is not None
        yield f"{path}[].{field.alias or name}", diff, Pipeline.model_validate({"stages": changed}).stages


def another(name: str, field: FieldInfo, value: Any) -> Any:
    """Another value that the field takes."""
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    for candidate in (*members(field.annotation), *(field.examples or ()), *OTHERS):
        try:
            parsed = adapter.validate_python(candidate)
        except ValidationError:
            continue
        if parsed != value and str(parsed) != str(value):
            return parsed
    raise AssertionError(f"no other value of {name} is known: {value!r}")


def members(annotation: Any) -> list[Any]:
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return [each for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for each in kind]


def facts_for(*specs: StreamJobSpec) -> OuFacts:
    """An OU that has whatever libraries are named."""
    libraries = {(str(spec.template.name.library), spec.template.version) for spec in specs}
    listed = [{"name": name, "version": version} for name, version in sorted(libraries)]
    of = resource(libraries=listed, capacity={"design": 3, "standalone": 8, "cluster": 50})
    return OuFacts("ou", of, catalogue=Catalogue(dict.fromkeys(libraries, "example.org/runtime:1")))


def runs(of: Job, facts: OuFacts) -> Runnable:
    runnable = footing(of, facts).runnable
    assert runnable is not None
    return runnable


def deployed(before: StreamJobSpec, after: StreamJobSpec) -> tuple[Observed, Runnable]:
    """A job whose driver runs one spec, and whose manifest says another now."""
    facts = facts_for(before, after)
    running = replace(job(), spec=before)
    known = runs(running, facts)
    status = job(
        status={
            "attempt": 1,
            "admittedCu": 1,
            "driver": {"podName": "extremes-1-driver", "uid": "pod-1"},
            "deployed": {"specHash": known.spec_hash, "generation": 1, "stateHash": known.state_hash},
        }
    ).status
    edited = replace(running, spec=after, generation=2, status=status)
    driver = pod(running, spec_hash=known.spec_hash)
    return Observed(edited, runs(edited, facts), (driver,), granted=100), known


def kept(seen: Observed) -> bool:
    course = decide(seen, NOW)
    return course.stop == () and course.start is None and course.ready.holds


CASES = [(template, *found) for template in TEMPLATES for found in variants(spec_of(template))]


@pytest.mark.parametrize(("template", "path", "diff", "after"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_a_changed_field_does_what_its_class_says(template: str, path: str, diff: Diff, after: StreamJobSpec) -> None:
    seen, _ = deployed(spec_of(template), after)
    course = decide(seen, NOW)
    if diff in {Diff.IGNORED, Diff.LIVE}:
        assert kept(seen)
    elif diff is Diff.STATE_BREAKING:
        assert (course.stop, course.ready.reason) == ((), "StateBreakingChange")
    else:
        assert (len(course.stop), course.ready.reason) == (1, "Upgrading")
        gone = decide(replace(seen, pods=(), job=replace(seen.job, status=course.memory)), NOW)
        assert gone.start
        assert (gone.start.attempt, gone.start.epoch) == (2, 0)


@pytest.mark.parametrize("template", TEMPLATES)
def test_another_template_breaks_the_state(template: str) -> None:
    other = next(name for name in TEMPLATES if name != template)
    seen, _ = deployed(spec_of(template), spec_of(other))
    assert decide(seen, NOW).ready.reason == "StateBreakingChange"


def test_every_field_of_the_spec_is_tried() -> None:
    tried = {path.split("[0]")[0] for _, path, *_ in CASES}
    top = {f"spec.{field.alias or name}" for name, field in StreamJobSpec.model_fields.items()}
    assert top - {".".join(path.split(".")[:2]) for path in tried} == {"spec.state"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_is_only_written_differently_breaks_no_state(template: str) -> None:
    document = written(template)
    block = document[BLOCKS[spec_of(template).template.name].BLOCK]
    for name in ("policies", "points", "stages"):
        if name in block:
            block[name] = list(reversed(block[name]))
    seen, _ = deployed(spec_of(template), StreamJobSpec.model_validate(document))
    assert decide(seen, NOW).ready.reason != "StateBreakingChange"
