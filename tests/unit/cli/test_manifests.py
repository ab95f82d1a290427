"""Manifests from files and folders, with names and lines in their faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamjob_cli.manifests import MAX_BYTES, Manifest, read

LIST = """\
apiVersion: v1
kind: List
items:
- {kind: StreamJob, metadata: {name: one}, spec: {state: Draft}}
- kind: StreamJob
  metadata: {name: two, namespace: ou}
  spec:
    state: Running
"""


def of(path: Path, text: str) -> list[Manifest]:
    path.write_text(text)
    manifests, faults = read([str(path)])
    assert faults == []
    return manifests


def faults_of(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return [str(fault).removeprefix(f"{path.parent}/") for fault in read([str(path)])[1]]


@pytest.mark.parametrize("kind", ["List", "StreamJobList"])
def test_the_objects_of_a_list_are_manifests_of_their_own(tmp_path: Path, kind: str) -> None:
    one, two = of(tmp_path / "a.yaml", LIST.replace("List", kind))
    assert [(one.kind, one.name, one.namespace), (two.kind, two.name, two.namespace)] == [
        ("StreamJob", "one", ""),
        ("StreamJob", "two", "ou"),
    ]
    assert str(two.fault("spec.state: wrong")) == f"{tmp_path}/a.yaml:8: spec.state: wrong"
    assert str(one.fault("spec: wrong as a whole")) == f"{tmp_path}/a.yaml:4: spec: wrong as a whole"


def test_names_that_are_no_texts_are_no_names(tmp_path: Path) -> None:
    (found,) = of(tmp_path / "a.yaml", "kind: 7\nmetadata: []\n")
    assert (found.kind, found.name, found.namespace) == ("", "", "")


def test_json_is_read_with_its_tabs_and_surrogates(tmp_path: Path) -> None:
    (found,) = of(tmp_path / "a.json", '{\n\t"kind": "StreamJob",\n\t"metadata": {"name": "\\ud83d\\ude00"}}')
    assert (found.kind, found.name) == ("StreamJob", "😀")


def test_folders_are_read_below_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/c.yml", "a/d.json", ".git/e.yaml", "readme.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"kind": path.stem}))
    manifests, faults = read([str(tmp_path)])
    assert ([manifest.kind for manifest in manifests], faults) == (["c", "d", "b"], [])


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("kind: Good")
    (tmp_path / "empty").mkdir()
    manifests, faults = read([f"{tmp_path}/none.yaml", f"{tmp_path}/empty", f"{tmp_path}/good.yaml"])
    assert [manifest.kind for manifest in manifests] == ["Good"]
    assert [str(fault) for fault in faults] == [
        f"{tmp_path}/none.yaml: cannot be read: No such file or directory",
        f"{tmp_path}/empty: no manifests in this folder; they are named *.yaml, *.yml, *.json",
    ]


def test_faults_name_file_and_line(tmp_path: Path) -> None:
    assert faults_of(tmp_path / "a.yaml", "a: 1\n b: 2") == [
        "a.yaml:2: no YAML: mapping values are not allowed in this context"
    ]
    assert faults_of(tmp_path / "a.json", '{"a": 1,\n"b" 2}') == ["a.json:2: no JSON: Expecting ':' delimiter"]
    assert faults_of(tmp_path / "b.json", '{"a": 1, "a": 2}') == ["b.json: key 'a' is given twice"]
    assert faults_of(tmp_path / "c.json", "[" * 100_000) == ["c.json: nested too deeply"]
    assert faults_of(tmp_path / "b.yaml", "---\n- a\n---\nname\n") == [
        "b.yaml:2: expected an object with apiVersion and kind, got a list",
        "b.yaml:4: expected an object with apiVersion and kind, got a text",
    ]
    assert faults_of(tmp_path / "c.yaml", " " * (MAX_BYTES + 1)) == ["c.yaml: larger than 8 MiB; that is no manifest"]


def _as_anyone() -> list[str]:
    """What takes from root the right to read everything."""
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", "--bounding-set", rights, "--inh-caps", rights] if os.geteuid() == 0 else []


def test_links_in_a_circle_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "self.yaml").symlink_to(tmp_path / "self.yaml")
    told = [str(fault) for fault in read([str(tmp_path), str(tmp_path / "self.yaml")])[1]]
    assert told == [f"{tmp_path}/self.yaml: cannot be read: Too many levels of symbolic links"]


def test_a_folder_that_may_not_be_looked_into_is_told(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("kind: Good")
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "bad.yaml").write_text("kind: Bad")
    (tmp_path / "locked").chmod(0)
    program = "import sys; from streamjob_cli.manifests import read; [print(f) for f in read(sys.argv[1:])[1]]"
    command = [*_as_anyone(), sys.executable, "-c", program, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    (tmp_path / "locked").chmod(0o755)
    assert (result.stdout, result.stderr) == (f"{tmp_path}/locked: cannot be read: Permission denied\n", "")
