"""What manifests may say, but this version refuses; in words for their author."""

from pathlib import Path
from typing import Any

import yaml

from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.support import without_effect
from streamjob_api.templates import TemplateName

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = REPOSITORY / "examples"


def spec(example: str, **changes: Any) -> StreamJobSpec:
    document = yaml.safe_load((EXAMPLES / example / "streamjob.yaml").read_text())
    return StreamJobSpec.model_validate({**document["spec"], **changes})


def test_silence_closes_windows_and_days_and_where_there_are_none_it_says_so() -> None:
    for example in ("time-window-aggregation", "energy-by-average-power"):
        assert without_effect(spec(example, idleTimeout="2h", alarms=None)) == []
        assert without_effect(spec(example, idleTimeout="2h", alarms=None, messageChannel="Offline")) == [
            "spec.idleTimeout: on the offline channel nothing is closed for silence"
        ]
    assert without_effect(spec("multi-point-merging", idleTimeout="2h")) == [
        "spec.idleTimeout: multi-point-merging has neither windows nor days that silence could close"
    ]


def test_sites_that_nobody_counts_are_told_of() -> None:
    block = {"points": ["Gateway::Signal"], "siteAttribute": "Gateway::Site"}
    assert without_effect(spec("device-state", deviceState=block)) == [
        "spec.deviceState.siteAttribute: sites are counted where connections are watched; write offlineAfter"
    ]
    assert without_effect(spec("device-state")) == []


def test_connections_on_the_offline_channel_are_told_to_mean_nothing() -> None:
    (said,) = without_effect(spec("device-state", messageChannel="Offline"))
    assert said == (
        "spec.deviceState.offlineAfter: on the offline channel the arrival of records tells nothing of a device; "
        "leave it out and take the latest values alone, or read the real-time channel"
    )
    latest = {"points": ["Gateway::Signal"]}
    assert without_effect(spec("device-state", messageChannel="Offline", deviceState=latest)) == []


def test_the_charts_catalogue_has_the_library_of_each_template() -> None:
    values = yaml.safe_load((REPOSITORY / "charts" / "streamjob-operator" / "values.yaml").read_text())
    assert [entry["name"] for entry in values["catalogue"]] == [template.library for template in TemplateName]
