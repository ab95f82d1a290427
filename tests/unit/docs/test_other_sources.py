"""The examples of the page about other sources are true."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_api.assets import AssetFilter
from streamjob_api.points import PointRef
from streamjob_api.source import Source
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_runtime.messages import decode

PAGE = (Path(__file__).parents[3] / "docs" / "other-sources.md").read_text()
NOW_MS = 1_700_000_100_000
# What is refused, and how many values of points that no job names there are.
EXAMPLES: dict[str, tuple[dict[str, int], int]] = {
    "A device that sends flat telemetry": ({}, 0),
    "A gateway that sends batches": ({"NotANumber": 1}, 0),
    "A system that sends one value a record": ({}, 1),
}


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def block(text: str, language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def source_of(text: str) -> Source:
    document = yaml.safe_load(block(text, "yaml"))
    if "kind" in document:
        source = StreamResourceSpec.model_validate(document["spec"]).source
        assert source is not None
        return source
    return Source.model_validate(document["source"])


def rows(text: str) -> Iterator[tuple[Any, ...]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    for asset, point, time, value in lines[2:]:
        at = datetime.fromisoformat(time).astimezone(UTC).timestamp()
        yield asset, point, round(at * 1000), float(value)


@pytest.mark.parametrize("title", EXAMPLES)
def test_a_job_gets_the_records_of_the_example(title: str) -> None:
    text = section(title)
    wanted, mapping = list(rows(text)), source_of(text).mapping
    raw = [line.encode() for line in block(text, "json").splitlines()]
    points = frozenset(PointRef.parse(point) for _, point, _, _ in wanted)
    result = decode(raw, points, NOW_MS, 300_000, mapping=mapping)
    found = [
        (asset, f"{model}::{point}", time, value)
        for asset, model, point, time, value in result.points.select("asset", "model", "point", "time", "value").rows()
    ]
    assert (found, result.malformed.height) == (wanted, 0)
    assert (result.refused, result.unused) == EXAMPLES[title]


def test_the_own_topics_of_the_example_are_used() -> None:
    topics = source_of(section("A device that sends flat telemetry")).topics.named_for("ou-plant")
    assert (topics.origin, topics.cal) == ("plant-raw", "plant-results")
    assert topics.dead_letter == "STREAMJOB_DEAD_LETTER_ou-plant"


def test_the_filter_of_the_example_does_what_the_page_says() -> None:
    chosen = AssetFilter.model_validate(yaml.safe_load(block(section("Some assets only"), "yaml"))["assets"])
    assets = ["mtr1", "site-1-a", "site-3-a", "mtr-test", "MTR1"]
    assert [asset for asset in assets if chosen.matches(asset)] == ["mtr1", "site-1-a"]


def test_every_field_of_the_mapping_and_every_topic_has_its_row() -> None:
    told = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    names = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    schema = Source.model_json_schema()["$defs"]
    assert names - {"topics"} == {*schema["MessageMapping"]["properties"], *schema["Topics"]["properties"]}
