"""The one user of buildah: builds images and pushes them, with its storage in the state folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.problems import ClusterError
from localcluster.progress import Step
from localcluster.state import State

UV_CACHE = "/var/cache/uv"  # where the Dockerfile's build stages keep downloaded wheels
LAST_LINES = 15


@dataclass(frozen=True)
class Buildah:
    """buildah with the storage of one state folder."""

    storage: Path
    scratch: Path
    driver: str

    def exists(self, name: str) -> bool:
        return self._succeeds("inspect", "--type", "image", name)

    def build(self, name: str, dockerfile: Path, context: Path, options: Sequence[str], step: Step) -> None:
        """Build ``name``; ``options`` say more: target, build arguments, volumes.

        chroot: needs no rights beyond root's and works inside a container. --network host: no network is set up.
        """
        isolation = ["--isolation=chroot", "--network=host", "--layers"]
        self._watched(["build", *isolation, *options, f"--tag={name}", f"--file={dockerfile}", str(context)], step)

    def push(self, name: str, destination: str, step: Step) -> None:
        """Push to a registry; layers it has are not sent. Plain HTTP is for registries on this machine alone."""
        is_local = destination.startswith(("localhost:", "127.0.0.1:"))
        # zstd: on one core a quarter of gzip's time for the runtime's layers
        compression = ["--format=oci", "--compression-format=zstd", "--compression-level=1"]
        secure = f"--tls-verify={str(not is_local).lower()}"
        self._watched(["push", secure, *(compression if is_local else ()), name, f"docker://{destination}"], step)

    def archive(self, name: str, reference: str, path: Path, step: Step) -> None:
        """Write an archive for ``docker load`` and ``kind load image-archive``."""
        path.unlink(missing_ok=True)
        self._watched(["push", name, f"docker-archive:{path}:{reference}"], step)

    def remove(self, names: list[str]) -> None:
        """Forget images; layers that others share stay."""
        if names:
            self._run(["rmi", *names])

    def forget_unfinished(self) -> None:
        """Remove what a build left that was killed: containers, their layers and mounts."""
        self._run(["rm", "--all"])

    def names(self) -> list[str]:
        """The images that have a name, newest first."""
        listed = self._run(["images", "--format", "{{.Name}}:{{.Tag}}"]).stdout.split()
        return [name for name in listed if not name.startswith("<none>")]

    def _command(self, arguments: list[str]) -> list[str]:
        place = ["--root", str(self.storage), "--runroot", str(self.scratch), "--storage-driver", self.driver]
        return ["buildah", *place, *arguments]

    def _succeeds(self, *arguments: str) -> bool:
        return subprocess.run(self._command([*arguments]), capture_output=True, check=False).returncode == 0

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command(arguments), capture_output=True, text=True, check=True)

    def _watched(self, arguments: list[str], step: Step) -> None:
        """Run, show on the step how far it is, and say the last lines if it fails."""
        tail: list[str] = []
        with subprocess.Popen(
            self._command(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            for line in process.stdout or ():
                tail = [*tail[1 - LAST_LINES :], line.rstrip()]
                step.note(line.strip()[:60])
        if process.returncode != 0:
            raise ClusterError(f"buildah {arguments[0]} failed:\n" + "\n".join(tail))


def buildah(state: State) -> Buildah:
    """buildah for a state folder; its scratch folder lies where a reboot empties it."""
    state.images.mkdir(parents=True, exist_ok=True)
    return Buildah(state.images / "storage", Path(f"/run/streamjob-{state.identity}-images"), _driver(state.images))


def _driver(folder: Path) -> str:
    """Overlay, except on a folder that is itself an overlay (inside a container): those cannot be stacked."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout
    return "vfs" if kind.strip() == "overlayfs" else "overlay"


def uv_cache(environment: Mapping[str, str], state: State) -> Path:
    """The user's cache of wheels, so that the build does not fetch and build them again; else one of our own."""
    # uv names itself in $UV to what it runs
    uv = environment.get("UV") or shutil.which("uv", path=environment.get("PATH", os.defpath))
    said = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=False).stdout if uv else ""
    cache = Path(said.strip()) if said.strip() else state.images / "uv-cache"
    cache.mkdir(parents=True, exist_ok=True)
    return cache
