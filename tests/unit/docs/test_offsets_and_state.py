"""The page of offsets and state is true: its commands are commands, and its table names what templates hold."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from oracles.device_state import Moment
from streamjob_api.checkpoint_tools import MAX_COMBINATIONS
from streamjob_cli.asked_target import target_of
from streamjob_cli.cluster_commands import offsets, state
from streamjob_cli.tool_pod import DEADLINE_SECONDS
from streamjob_runtime.templates.chosen import Chosen
from unit.runtime import energy_bench, merging_bench, windows_bench
from unit.runtime.test_forgetting import Devices
from unit.runtime.windows_bench import BASE

PAGE = (Path(__file__).parents[3] / "docs" / "offsets-and-state.md").read_text()
COMMANDS = re.findall(r"`streamjob ((?:offsets|state) (?:show|reset|delete) [^`]+)`", PAGE)


@pytest.mark.parametrize("written", COMMANDS)
def test_every_command_is_taken_by_the_command_line(written: str, tmp_path: Path) -> None:
    group, name, *arguments = shlex.split(written)
    command = {"offsets": offsets, "state": state}[group].commands[name]
    with click.Context(command) as context:
        parsed = command.make_context(name, arguments, parent=context)
    if (to := parsed.params.get("to")) and not to.startswith("@"):
        target_of(to, None)


def test_the_page_has_every_form_of_a_command() -> None:
    assert {tuple(written.split()[:2]) for written in COMMANDS} == {
        ("offsets", "show"), ("offsets", "reset"), ("state", "show"), ("state", "delete")
    }  # fmt: skip


def held() -> dict[str, set[str]]:
    """Kinds of rows with their fields, of small jobs that have all there is."""
    sums: dict[str, Any] = {"aggregation": "sum"}
    meter = energy_bench.energy_job(
        energy_bench.METER, {"detailedOutput": "M::Detail", "interval": "30m"}, latency="10m"
    )
    runs: list[Any] = [
        windows_bench.Run(windows_bench.window_job(sums)),
        windows_bench.Run(windows_bench.window_job({**sums, "slide": "5m"})),
        windows_bench.Run(windows_bench.window_job(sums), calculated=["M::A"]),
        energy_bench.Run(energy_bench.METER, meter),
        merging_bench.Run(merging_bench.merging_job({}, latency="10m")),
    ]
    found: dict[str, set[str]] = {}
    for run in runs:
        run.feed([("a", "M::A", BASE + at * 300_000, at) for at in range(5)])
        for store in run.stores.values():
            for row in run.template.held(store, Chosen.of(["a"], run.template.inputs)):
                found.setdefault(row.kind, set()).update(row.fields)
    devices = Devices({"points": ["M::A"], "offlineAfter": "10m", "siteAttribute": "M::Site"})
    devices.at(Moment(BASE, [("a", "M::A", BASE, 1)], {}))
    for row in devices.rows():
        found.setdefault(row.kind, set()).update(row.fields)
    return found


def test_the_table_names_all_that_is_held() -> None:
    section = PAGE.partition("## What is shown of the state")[2].partition("\n## ")[0]
    rows = [re.findall(r"`(\w+)`", line) for line in section.splitlines() if line.startswith("| `")]
    named = {word for row in rows for word in row}
    wanted = held()
    assert wanted.keys() <= named
    assert {field for fields in wanted.values() for field in fields} <= named
    assert named <= wanted.keys() | {field for fields in wanted.values() for field in fields}


def test_the_page_names_the_limits() -> None:
    assert f"{MAX_COMBINATIONS:,} pairs" in PAGE
    assert f"after {DEADLINE_SECONDS // 60} minutes" in PAGE
