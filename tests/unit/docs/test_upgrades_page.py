"""What the page on upgrades shows is what the operator says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from streamjob_api.stream_job import StreamJobSpec
from streamjob_operator.api_server.revisions import LIMIT
from streamjob_operator.jobs.decide import decide
from streamjob_operator.jobs.rollback import STABLE_AFTER
from unit.operator.builders import NOW, job, pod, runnable
from unit.operator.test_upgrades import edited, seen, size

PAGE = (Path(__file__).parents[3] / "docs" / "upgrades.md").read_text()
TEXTS = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)


def said(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Reason and message, as the page has them: of its own job."""
    former = job(**before)
    of = edited(former, **after)
    course = decide(seen(of, pod(of, spec_hash=runnable(former).spec_hash), before=former), NOW)
    return f"{course.ready.reason}: {course.ready.message}".replace("pod extremes-", "pod meter-extremes-10min-")


def test_the_messages_are_those_of_the_operator() -> None:
    assert said({"rateLimit": 1000}, {"rateLimit": 2000}) in TEXTS
    assert said({}, size("20m")) in TEXTS
    assert len(TEXTS) == 2


def test_the_manifest_is_one() -> None:
    (written,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    example = yaml.safe_load((Path(__file__).parents[3] / "examples/meter-extremes/streamjob.yaml").read_text())
    spec = StreamJobSpec.model_validate({**example["spec"], **yaml.safe_load(written)["spec"]})
    assert spec.lifecycle.rollback_on_failure


def test_the_numbers_are_those_of_the_operator() -> None:
    assert (LIMIT, "at most ten" in PAGE) == (10, True)
    assert (STABLE_AFTER.total_seconds(), "was ready for a minute" in PAGE) == (60, True)
