"""The page about lifecycles shows what the operator writes."""

import re
from pathlib import Path

import yaml

from streamjob_api.lifecycle import DesiredState, Lifecycle
from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import course

PAGE = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text()


def test_the_example_is_a_status_as_it_is_written() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    written = yaml.safe_load(block)["status"]
    stop = StreamJobStatus.model_validate(written).stop
    assert stop is not None
    assert stop.model_dump(mode="json", by_alias=True).keys() == written["stop"].keys()


def test_every_state_is_explained_and_defaults_are_the_models() -> None:
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))) == set(DesiredState)
    assert f"`lifecycle.stopDeadline`\n({Lifecycle().stop_deadline})" in PAGE
    assert f"`lifecycle.pauseLimit` ({Lifecycle().pause_limit})" in PAGE
    assert course.PAUSE_EXPIRED == reasons.PAUSE_EXPIRED
