"""The page of device state is true: its worked example, its preview, its cost, and the fields that it lists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from oracles.device_state import Moment
from streamjob_api.templates.device_state import DeviceState
from streamjob_runtime.templates.device_connections import TOLD_WITHIN
from unit.runtime.device_state_bench import Run

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "templates" / "device-state.md").read_text()
DAY_MS = 1_700_006_400_000  # 2023-11-15T00:00:00Z
BEGIN = {"sites": "Sites, `sites.jsonl`", "points": "Records, `points.jsonl`"}


def block() -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = yaml.safe_load(found.group(1))["deviceState"]
    return read


def rows() -> list[list[str]]:
    """The table of the worked example, without its head."""
    (table,) = re.findall(
        r"(?:^\|.*\n)+", PAGE.partition("## Worked example")[2].partition("## Try it")[0], re.MULTILINE
    )
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return DAY_MS + (int(hours) * 60 + int(minutes)) * 60_000


def test_every_row_is_what_the_template_gives() -> None:
    run = Run(block())
    sites: dict[str, str] = {}
    assert len(rows()) == 8
    for number, clock, device, point, value, time, site, latest, connection, *counts in rows():
        sites = sites | ({device: site} if device else {})
        readings = [(device, f"Gateway::{point}", at(time), yaml.safe_load(value))] if device else []
        run.at(Moment(at(clock), readings, sites))
        if device:
            assert run.latest[device, f"Gateway::{point}"][1] == yaml.safe_load(latest), f"row {number}"
        told = {key: run.results[key] for key in run.emissions[-1]}
        wanted: dict[tuple[str, str, int], str | int] = {}
        if connection:
            asset, word = (f"{device} {connection}".strip()).split()
            wanted[asset, "Gateway::Connection", at(clock)] = word
        for name, cell in zip(("north", "south"), counts, strict=True):
            if cell:
                online, offline = map(int, cell.split(","))
                wanted[name, "Gateway::SiteState", at(clock)] = online
                assert told[name, "Gateway::SiteState", at(clock)][1] == {"online": online, "offline": offline}
        assert {key: value for key, (value, _) in told.items()} == wanted, f"row {number}"


def after(words: str, language: str) -> str:
    """The first block of a language after some words."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.partition(words)[2], re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_preview_prints_what_the_page_says(tmp_path: Path) -> None:
    for name, words in BEGIN.items():
        (tmp_path / f"{name}.jsonl").write_text(after(words, "json"))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    command, _, printed = after("## Try it", "console").removeprefix("$ ").partition("\n")
    arguments = shlex.split(command)
    assert arguments[:3] == ["uv", "run", "streamjob"]
    done = subprocess.run(
        [sys.executable, "-m", "streamjob_cli", *arguments[3:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == printed, done.stderr


def test_the_cost_in_redis_is_reckoned_right() -> None:
    found = re.search(r"So ([\d,]+) devices with `offlineAfter: (\d+)m` cost at most (\d+) writes", PAGE)
    assert found is not None
    devices, minutes, writes = found.groups()
    assert int(writes) == -(-int(devices.replace(",", "")) * TOLD_WITHIN // (int(minutes) * 60))


def test_every_field_is_on_the_page() -> None:
    fields = {str(field.alias) for field in DeviceState.model_fields.values()}
    assert {name for name in fields if f"| `{name}` |" not in PAGE} == set()
