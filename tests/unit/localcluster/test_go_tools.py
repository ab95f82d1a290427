"""Programs are built again when, and only when, their module's files change."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcluster import go_tools
from localcluster.go_tools import GoModule, fingerprint, is_built, linker_flags, parse_version, required_version
from localcluster.state import State

GO_MOD = """\
module example

tool k8s.io/kubernetes/cmd/kubelet

require (
	k8s.io/kubectl v0.34.4 // indirect
	k8s.io/kubernetes v1.34.4 // indirect
)
"""


def test_kubernetes_is_told_the_version_that_its_module_requires() -> None:
    flags = linker_flags(GO_MOD)
    assert "component-base/version.gitVersion=v1.34.4" in flags
    assert "component-base/version.gitMinor=34" in flags
    assert linker_flags("module example\n") == "-s -w"


def test_a_single_requirement_stands_on_one_line() -> None:
    assert required_version("require example.org/module v1.2.3\n", "example.org/module") == "v1.2.3"


@pytest.mark.parametrize(
    ("said", "version"), [("go version go1.26.8 linux/amd64", (1, 26)), ("go version devel", (0, 0))]
)
def test_the_toolchain_says_its_version(said: str, version: tuple[int, int]) -> None:
    assert parse_version(said) == version


@pytest.mark.parametrize("module", [*go_tools.ALL_MODULES, go_tools.KWOK], ids=lambda module: module.name)
def test_every_program_is_a_tool_of_its_module(module: GoModule) -> None:
    go_mod = (module.folder / "go.mod").read_text()
    assert all(package in go_mod for package in module.programs.values())
    assert (module.folder / "go.sum").exists()


def test_a_module_is_built_once_its_programs_and_their_fingerprint_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go_tools, "MODULES", tmp_path / "go")
    module, state = GoModule("example", {"tool": "example.org/tool"}), State(tmp_path / "state")
    module.folder.mkdir(parents=True)
    for name in ("go.mod", "go.sum"):
        (module.folder / name).write_text(name)
    state.bin.mkdir(parents=True)
    (state.bin / ".example.built").write_text(fingerprint(module))
    assert not is_built(module, state)
    (state.bin / "tool").touch()
    assert is_built(module, state)
    (module.folder / "go.sum").write_text("another")
    assert not is_built(module, state)
