"""``streamjob preview`` as a user meets it: streams, exit codes, what is told of manifests and lines."""

import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streamjob_cli.command_line import streamjob
from unit.cli.previews import MINUTE, START, job, last_values, manifest, reading, resource, run, written

LINES = [reading(1, 12), reading(7, 15), reading(12, 18), reading(8, 17), reading(16, 20)]
MAXIMA = {("a", "M::Max", START): 15, ("a", "M::Max", START + 10 * MINUTE): 20}


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(streamjob, ["preview", *arguments], catch_exceptions=False)


def counts(result: Result) -> dict[str, int]:
    rows = re.findall(r"^(\w+) +([0-9,]+)  ", result.stderr, re.MULTILINE)
    return {name: int(count.replace(",", "")) for name, count in rows}


def test_results_are_the_drivers_records_and_counts_stand_on_standard_error(tmp_path: Path) -> None:
    result = preview(manifest(tmp_path, job()), "--input", written(tmp_path, LINES))
    first, second = result.stdout.splitlines()
    assert first == (
        '{"orgId":"ou-energy","modelId":"M","modelIdPath":"/M","assetId":"a","pointId":"Max",'
        f'"time":{START},"value":15,"quality":0,"attr":{{"windowAggregator":{{"calType":"max","calMode":"final"}}}}}}'
    )
    assert last_values([first, second]) == MAXIMA
    assert counts(result) == {
        "read": 5,
        "used": 5,
        "late": 1,
        "outside": 0,
        "refused": 0,
        "malformed": 0,
        "filtered": 0,
        "unused": 0,
    }
    assert result.exit_code == 0


@pytest.mark.parametrize("batch", ["1", "2", "100"])
def test_the_last_values_do_not_depend_on_the_size_of_batches(tmp_path: Path, batch: str) -> None:
    windows = {**job()["spec"]["timeWindowAggregation"], "latency": "3m"}
    result = preview(manifest(tmp_path, job(windows=windows)), "--input", written(tmp_path, LINES), "--batch", batch)
    assert last_values(result.stdout.splitlines()) == {**MAXIMA, ("a", "M::Max", START): 17}
    assert len(result.stdout.splitlines()) == {"1": 4, "2": 3, "100": 2}[batch]


def test_bad_lines_are_counted_by_reason_with_their_numbers(tmp_path: Path) -> None:
    seconds = reading(2, 1).replace(str(START + 2 * MINUTE), str(START // 1000))
    other = reading(3, 1).replace('"A"', '"Other"')
    lines = ["{", *LINES, "", '{"a": 1}', seconds, other, *["nonsense"] * 7, reading(4, 1).replace(": 1}", ': "x"}')]
    result = preview(manifest(tmp_path, job()), "--input", written(tmp_path, lines))
    assert result.exit_code == 0
    assert last_values(result.stdout.splitlines()) == MAXIMA
    told = result.stderr.splitlines()
    assert {name: counts(result)[name] for name in ("read", "used", "refused", "malformed", "unused")} == {
        "read": 17,
        "used": 5,
        "refused": 2,
        "malformed": 9,
        "unused": 1,
    }
    assert "malformed InvalidJson: 8 (lines 1, 11, 12, 13, 14, ...), Expecting property name" in "\n".join(told)
    assert "malformed MissingField: 1 (line 8), modelId: missing" in told
    assert "refused NotANumber: 1 (line 18)" in told
    assert "refused SecondsNotMilliseconds: 1 (line 9)" in told


def test_a_job_that_finds_none_of_its_points_is_told_so(tmp_path: Path) -> None:
    lines = [text.replace('"A"', '"B"') for text in LINES]
    result = preview(manifest(tmp_path, job()), "--input", written(tmp_path, lines))
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "No line has a point that the job reads: M::A." in result.stderr


def test_now_refuses_records_of_its_future(tmp_path: Path) -> None:
    arguments = [manifest(tmp_path, job()), "--input", written(tmp_path, LINES)]
    result = preview(*arguments, "--now", "2023-11-15T01:05:00+01:00")
    assert last_values(result.stdout.splitlines()) == {("a", "M::Max", START): 17}
    assert "refused FutureTime: 2 (lines 3, 5)" in result.stderr
    offline = preview(
        manifest(tmp_path, job(messageChannel="Offline")), *arguments[1:], "--now", "2023-11-15T00:05:00Z"
    )
    assert counts(offline)["refused"] == 0


def test_the_resource_gives_org_id_and_mapping(tmp_path: Path) -> None:
    mapping = {
        "asset": "dev",
        "time": {"path": "t", "unit": "s"},
        "model": {"name": "M"},
        "points": {"A": "v"},
    }
    lines = [json.dumps({"dev": "a", "t": START // 1000 + 60 * minute, "v": minute}) for minute in (1, 2, 11)]
    ou = resource(orgId="o77", source={"mapping": mapping})
    apart = tmp_path / "apart"
    apart.mkdir()
    together = preview(manifest(tmp_path, job(), ou), "--input", written(tmp_path, lines))
    alone = preview(manifest(tmp_path, job()), "--resource", manifest(apart, ou), "--input", written(tmp_path, lines))
    assert together.stdout == alone.stdout
    assert json.loads(together.stdout.splitlines()[0])["orgId"] == "o77"
    assert last_values(together.stdout.splitlines()) == {
        ("a", "M::Max", START): 2,
        ("a", "M::Max", START + 10 * MINUTE): 11,
    }


def test_assets_that_the_job_leaves_out_are_counted(tmp_path: Path) -> None:
    lines = [*LINES, reading(5, 99, asset="test-1")]
    result = preview(manifest(tmp_path, job(assets={"exclude": ["test-*"]})), "--input", written(tmp_path, lines))
    assert last_values(result.stdout.splitlines()) == MAXIMA
    assert (counts(result)["filtered"], counts(result)["used"]) == (1, 5)


def test_asset_and_point_choose_what_is_shown(tmp_path: Path) -> None:
    windows = {
        "policies": [
            {"input": "M::A", "aggregation": kind, "windowSize": "10m", "output": f"M::{kind}"}
            for kind in ("max", "min")
        ]
    }
    arguments = [
        manifest(tmp_path, job(windows=windows)),
        "--input",
        written(tmp_path, [reading(1, 1, a) for a in "ab"]),
    ]
    for chosen, shown in {
        ("--asset", "a"): {("a", "max"), ("a", "min")},
        ("--asset", "[!a]"): {("b", "max"), ("b", "min")},
        ("--point", "m?x"): {("a", "max"), ("b", "max")},
        ("--point", "M::min"): {("a", "min"), ("b", "min")},
        ("--point", "N::*"): set(),
    }.items():
        result = preview(*arguments, *chosen)
        assert {
            (asset, point.removeprefix("M::")) for asset, point, _ in last_values(result.stdout.splitlines())
        } == shown


def test_every_fault_of_the_manifests_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    bad = job(windows={"policies": [{"input": "M:A", "aggregation": "median", "windowSize": "10", "output": "M::X"}]})
    del bad["spec"]["template"]["version"]
    result = preview(manifest(tmp_path, bad, resource(capacity={})), "--input", "never-read")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    told = [text.removeprefix(f"{tmp_path}/") for text in result.stderr.splitlines()]
    file = (tmp_path / "job.yaml").read_text().splitlines()
    assert len(told) == 4
    for field in ("template.version", "policies[0].input", "policies[0].aggregation", "policies[0].windowSize"):
        (fault,) = [text for text in told if field in text]
        number = int(fault.split(":")[1])
        assert field.rpartition(".")[2] in file[number - 1] or field == "template.version"


PIPELINE = {
    "template": {"name": "pipeline", "version": "1.0"},
    "pipeline": {"stages": [{"name": "select", "calculator": "point-selector", "from": ["source"]}]},
}


@pytest.mark.parametrize(
    ("documents", "arguments", "words"),
    [
        ([], [], "no StreamJob is here"),
        ([job("one"), job("two")], [], "several StreamJobs are here: one, two; choose one with --job"),
        ([job("one"), job("two")], ["--job", "three"], "no StreamJob called 'three' is here, but one, two"),
        ([job(), resource(), resource()], [], "several StreamResources are here: energy, energy; leave one"),
        ([job() | {"apiVersion": "streamjob.dev/v1"}], [], "apiVersion: must be streamjob.dev/v1beta1"),
        ([{key: value for key, value in job().items() if key != "spec"}], [], "job.yaml:1: spec: required"),
        (
            [job() | {"spec": PIPELINE}],
            [],
            "spec.pipeline.stages[0].parameters.points: required, but missing; write e.g. points: [",
        ),
    ],
)
def test_without_one_valid_job_nothing_is_calculated(
    tmp_path: Path, documents: list[dict[str, object]], arguments: list[str], words: str
) -> None:
    result = preview(manifest(tmp_path, *documents), "--input", "never-read", *arguments)
    assert words in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_messages_of_another_form_are_met_with_the_remedy(tmp_path: Path) -> None:
    told = "--resource names its file"
    mapping = {"asset": "dev", "time": {"path": "ts"}, "model": {"name": "M"}, "points": {"A": "v"}}
    other = written(tmp_path, ['{"dev": "a", "ts": 1700006400000}'])
    assert told in preview(manifest(tmp_path, job()), "--input", other).stderr
    described = manifest(tmp_path, job(), resource(source={"mapping": mapping}))
    assert told not in preview(described, "--input", other).stderr
    assert told not in preview(manifest(tmp_path, job()), "--input", written(tmp_path, ["{}", *LINES])).stderr


def test_the_job_is_chosen_by_name(tmp_path: Path) -> None:
    minima = {"policies": [{"input": "M::A", "aggregation": "min", "windowSize": "10m", "output": "M::Min"}]}
    documents = manifest(tmp_path, job("one"), job("two", minima))
    result = preview(documents, "--input", written(tmp_path, LINES), "--job", "two")
    assert {point for _, point, _ in last_values(result.stdout.splitlines())} == {"M::Min"}


def test_an_input_that_cannot_be_read_is_exit_3(tmp_path: Path) -> None:
    result = preview(manifest(tmp_path, job()), "--input", f"{tmp_path}/none.jsonl")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == f"{tmp_path}/none.jsonl: cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--now", "yesterday"],
        ["--now", "2026-01-31T08:00:00"],
        ["--batch", "0"],
        ["--format", "xml"],
        ["--resource", "-", "--input", "-"],
    ],
)
def test_wrong_arguments_are_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    given = arguments if "--input" in arguments else ["--input", "x", *arguments]
    result = preview(manifest(tmp_path, job()), *given)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_standard_input_and_gzip_are_read_like_a_file(tmp_path: Path) -> None:
    file = written(tmp_path, LINES)
    packed = tmp_path / "points.jsonl.gz"
    packed.write_bytes(gzip.compress(Path(file).read_bytes()))
    plain, piped = (
        preview(manifest(tmp_path, job()), "--input", file),
        run(manifest(tmp_path, job()), "--input", "-", stdin=Path(file).read_text()),
    )
    assert plain.stdout == piped.stdout == preview(manifest(tmp_path, job()), "--input", str(packed)).stdout
    assert piped.returncode == 0


def test_the_manifest_may_come_through_standard_input(tmp_path: Path) -> None:
    text = Path(manifest(tmp_path, job())).read_text()
    result = run("-", "--input", written(tmp_path, LINES), stdin=text)
    assert last_values(result.stdout.splitlines()) == MAXIMA


def test_a_reader_that_goes_away_ends_the_preview_quietly(tmp_path: Path) -> None:
    lines = [reading(10 * number, number) for number in range(40_000)]
    command = [sys.executable, "-m", "streamjob_cli", "preview", manifest(tmp_path, job()), "--input"]
    process = subprocess.Popen(
        [*command, written(tmp_path, lines), "--batch", "100"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 1
    process.stderr.close()


def test_a_terminal_that_cannot_show_a_letter_ends_no_output(tmp_path: Path) -> None:
    file = written(tmp_path, [text.replace('"a"', '"\N{LATIN SMALL LETTER A WITH DIAERESIS}"') for text in LINES])
    arguments = [manifest(tmp_path, job()), "--input", file, "--format"]
    table = run(*arguments, "table", PYTHONIOENCODING="ascii")
    assert "| ?     | M::Max | 2023-11-15T00:00:00Z |    15 | final |" in table.stdout
    assert "UTC" not in table.stdout.partition("\n\n")[2]  # nor has it signs to plot with
    records = run(*arguments, "json", PYTHONIOENCODING="ascii").stdout
    assert {asset for asset, _, _ in last_values(records.splitlines())} == {"\N{LATIN SMALL LETTER A WITH DIAERESIS}"}


def test_a_closed_standard_input_cannot_be_read(tmp_path: Path) -> None:
    for arguments, code in ((f"{manifest(tmp_path, job())} --input -", 3), ("- --input never-read", 2)):
        command = f"{sys.executable} -m streamjob_cli preview {arguments} <&-"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
        assert (result.returncode, result.stderr) == (code, "<stdin>: cannot be read: Bad file descriptor\n")


def test_people_get_a_table_and_a_plot_and_programs_lines(tmp_path: Path) -> None:
    arguments = [manifest(tmp_path, job()), "--input", written(tmp_path, LINES)]
    assert preview(*arguments).stdout.startswith("{")
    shown = _on_a_terminal(*arguments)
    assert re.search(r"a +│ M::Max +│ 2023-11-15T00:10:00Z +│ +20 +│ final", shown)
    assert "2023-11-15T00:00:00Z to 2023-11-15T00:10:00Z" in shown
    assert "read " in shown


def _on_a_terminal(*arguments: str) -> str:
    """What a terminal shows of the command."""
    reading_end, writing_end = pty.openpty()
    command = [sys.executable, "-m", "streamjob_cli", "preview", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.Popen(command, stdout=writing_end, stderr=writing_end, env=environment)
    os.close(writing_end)
    shown = b""
    try:
        while part := os.read(reading_end, 65_536):
            shown += part
    except OSError:  # a terminal whose other side is closed
        pass
    os.close(reading_end)
    assert process.wait(30) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())


def test_help_has_examples_and_exit_codes_and_loads_no_polars() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "streamjob_cli", "preview", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Examples:" in result.stdout
    assert "3 input" in result.stdout
    assert "polars" not in result.stderr
    assert "pydantic" not in result.stderr


def test_the_command_is_installed_under_its_name() -> None:
    command = shutil.which("streamjob", path=str(Path(sys.executable).parent))
    assert command is not None
    assert subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "streamjob 0."
    )
