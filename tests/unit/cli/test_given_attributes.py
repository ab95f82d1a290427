"""Attributes of assets from a file: what they give a job, and what is said of lines that give none."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamjob_api.points import AttributeRef, PointRef
from streamjob_cli.given_attributes import GivenAttributes, given_attributes
from streamjob_cli.input_lines import UnreadableInput
from streamjob_cli.subject import WrongManifest
from streamjob_runtime.templates.surroundings import Asset, LatestValue, NoScalar
from unit.cli.previews import MINUTE, START, job, last_values, line, manifest, reading, run, written

RATIO, SITE = AttributeRef("Meter", "Ratio"), AttributeRef("Meter", "Site")


def given(folder: Path, *lines: str) -> GivenAttributes:
    file = folder / "attributes.jsonl"
    file.write_text("\n".join(lines))
    return given_attributes(str(file))


def asset(name: str, **attributes: Any) -> str:
    return json.dumps({"assetId": name, "attributes": {f"Meter::{key}": value for key, value in attributes.items()}})


def test_values_come_one_an_asset_in_the_order_asked(tmp_path: Path) -> None:
    found = given(tmp_path, asset("a", Ratio=2.5, Site="plant-7"), "", asset("b", Ratio=[1], Site=None))
    assert found.read(["b", "a", "nobody"], [RATIO, SITE]) == {
        RATIO: [NoScalar(), 2.5, None],
        SITE: [None, "plant-7", None],
    }
    assert found.names == [RATIO, SITE]


def test_a_line_may_say_more_of_an_asset_than_its_attributes(tmp_path: Path) -> None:
    line = '{"assetId": "a", "modelId": "Meter", "tags": {"floor": 3}, "children": {"grid": ["b"]}}'
    found = given(tmp_path, line, asset("b", Ratio=1))
    assert found.assets.read(["b", "a"]) == [None, Asset("Meter", tags={"floor": "3"}, children={"grid": ("b",)})]
    assert list(found.remarks()) == []


def test_a_line_may_have_latest_values(tmp_path: Path) -> None:
    line = '{"assetId": "a", "latest": {"Meter::A": {"time": 5, "value": "on"}}}'
    found = given(tmp_path, line)
    values = [found.latest_values.read(["b", "a"], PointRef("Meter", point)) for point in ("A", "B")]
    assert values == [[None, LatestValue(5, "on")], [None, None]]
    assert list(found.remarks()) == []


def test_what_no_asset_has_is_remarked(tmp_path: Path) -> None:
    found = given(tmp_path, asset("a", Ratio=2.5))
    assert list(found.remarks()) == [
        f"{found.file}: nothing of it was read: the job asks for none of it, or no record was used."
    ]
    found.read(["a"], [RATIO, SITE])
    assert list(found.remarks()) == [
        f"{found.file}: no asset has the attribute Meter::Site, which the job is bound to."
    ]


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("{", ["is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); write one"]),
        (
            '{"assetId": "c", "attributes": {"Meter::Ratio": NaN}}',
            ["is no JSON: NaN is no JSON; write one asset a line"],
        ),
        ("[1]", ["expected an object (got [1]); write one asset a line, as in "]),
        ('{"assetId": ""}', ['assetId: expected a text that is not empty (got "")', "attributes: expected an object"]),
        ('{"attributes": {}, "asset": "m"}', ["asset: unknown field; write ", "assetId: expected a text"]),
        (asset("a"), ["assetId: 'a' has a line already; give all of its attributes in one"]),
        (
            '{"assetId": "c", "tags": [], "name": 5}',
            ["name: expected a text (got 5)", 'tags: expected an object (got []), as in {"region": "north"}'],
        ),
        (
            '{"assetId": "c", "latest": {"A": {"time": 1, "value": 2}, "M::B": 5}}',
            ["latest: 'A' is not of the form model::point", "latest: expected a time and a value of M::B (got 5), as "],
        ),
        ('{"assetId": "c", "latest": 5}', ["latest: expected an object (got 5), as in "]),
        ('{"assetId": "c", "attributes": {"Ratio": 1}}', ["attributes: 'Ratio' is not of the form model::attribute,"]),
    ],
)
def test_every_fault_of_a_line_is_named_with_its_place(tmp_path: Path, line: str, faults: list[str]) -> None:
    with pytest.raises(WrongManifest) as error:
        given(tmp_path, asset("a"), line)
    told = [str(fault) for fault in error.value.faults]
    assert len(told) == len(faults)
    for text, fault in zip(told, faults, strict=True):
        assert text.startswith(f"{tmp_path}/attributes.jsonl:2: {fault}")


def test_of_many_faults_the_first_are_told(tmp_path: Path) -> None:
    with pytest.raises(WrongManifest) as error:
        given(tmp_path, *["{}"] * 50)
    told = str(error.value).splitlines()
    assert (len(told), told[-1]) == (21, f"{tmp_path}/attributes.jsonl: and 80 faults more")


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"attributes\.jsonl: cannot be read: No such file"):
        given_attributes(str(tmp_path / "attributes.jsonl"))


def test_faults_of_the_file_end_a_preview_before_it_reads(tmp_path: Path) -> None:
    wrong = tmp_path / "attributes.jsonl"
    wrong.write_text("5")
    arguments = [manifest(tmp_path, job()), "--input", written(tmp_path, [reading(1, 5)]), "--attributes", str(wrong)]
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{wrong}:1: expected an object (got 5)")
    wrong.write_text(asset("a", Ratio=1))
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].startswith(f"{wrong}: nothing of it was read")


def test_a_preview_calculates_with_the_attributes_of_each_asset(tmp_path: Path) -> None:
    policy = {"input": "Meter::Reading", "slopeThreshold": "[0, 50]"}
    policy |= {"scaleAttribute": "Meter::Ratio", "dailyOutput": "Meter::Day"}
    template = {"name": "energy-by-meter-reading", "version": "1.0"}
    document = job()
    document["spec"] = {"template": template, "energyByMeterReading": {"policies": [policy]}}
    readings = [
        line((name, "Meter::Reading", START + hour * 60 * MINUTE, 5 * hour)) for hour in range(3) for name in "abc"
    ]
    file = tmp_path / "attributes.jsonl"
    file.write_text("\n".join([asset("a", Ratio=40), asset("b", Ratio="forty")]))
    done = run(
        manifest(tmp_path, document), "--input", written(tmp_path, readings), "--attributes", str(file), "--batch", "1"
    )
    assert done.returncode == 0, done.stderr
    assert last_values(done.stdout.splitlines()) == {
        (name, "Meter::Day", START): 10 * scale for name, scale in (("a", 40), ("b", 1), ("c", 1))
    }
    told = {row.split()[0]: row.split()[1] for row in done.stderr.splitlines()}
    assert (told["attributeInvalid"], told["attributeMissing"]) == ("3", "3")
    assert str(file) not in done.stderr
