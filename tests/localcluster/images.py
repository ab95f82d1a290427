"""The one image the cluster itself needs: Debian's static busybox, put into the local registry without a build tool.

It is the pause container of every pod, the shell of the volume provisioner's helper pods and the smoke test's pod.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcluster import registry
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.state import State

REPOSITORY, TAG = "streamjob/busybox", "1"
BUSYBOX = f"{registry.ADDRESS}/{REPOSITORY}:{TAG}"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def ensure_busybox(state: State, machine: str, progress: Progress) -> None:
    """Put the image into the registry unless it is there."""
    if registry.holds(REPOSITORY, TAG):
        return
    with progress.step(f"Make the image {BUSYBOX}"):
        program = busybox_program(state)
        applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
        push(REPOSITORY, TAG, layer(program.read_bytes(), applets), ARCHITECTURES[machine])


def busybox_program(state: State) -> Path:
    """Debian's busybox-static, unpacked and not installed: as a package it would push out the other busybox."""
    unpacked = state.images / "busybox-static"
    if not (unpacked / "bin" / "busybox").exists():
        state.images.mkdir(parents=True, exist_ok=True)
        # apt gives up root for a download and needs a folder that its own user may write to
        with tempfile.TemporaryDirectory(prefix="busybox-") as folder:
            Path(folder).chmod(0o777)
            downloaded = _apt("download", "busybox-static", folder=folder)
            if downloaded.returncode != 0:  # the machine's lists of packages are missing or old
                _apt("update", folder=folder)
                downloaded = _apt("download", "busybox-static", folder=folder)
            for package in Path(folder).glob("*.deb"):
                subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
        if not (unpacked / "bin" / "busybox").exists():
            raise ClusterError(f"the Debian package busybox-static cannot be downloaded:\n{downloaded.stderr}")
    return unpacked / "bin" / "busybox"


def _apt(*arguments: str, folder: str) -> subprocess.CompletedProcess[str]:
    argv = ["apt-get", "--option=DPkg::Lock::Timeout=300", *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def layer(program: bytes, applets: Sequence[str]) -> bytes:
    """An uncompressed tar of busybox, its applets as links and a ``/tmp``: the same bytes for the same input."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
        for applet in sorted(set(applets) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return output.getvalue()


def image_configuration(tar: bytes, architecture: str) -> dict[str, Any]:
    """The image's configuration: it sleeps for ever unless told otherwise, which is all that a pause container does."""
    return {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "infinity"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(tar)]},
    }


def push(repository: str, tag: str, tar: bytes, architecture: str) -> None:
    """Push an image of one layer."""
    configuration = json.dumps(image_configuration(tar, architecture)).encode()
    packed = gzip.compress(tar, mtime=0)
    for blob in (packed, configuration):
        _push_blob(repository, blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(configuration, "application/vnd.oci.image.config.v1+json"),
        "layers": [_descriptor(packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    body = json.dumps(manifest).encode()
    answer = registry.request("PUT", f"/v2/{repository}/manifests/{tag}", body, MANIFEST_TYPE)
    _expect(answer, 201, f"manifest of {repository}:{tag}")


def digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _descriptor(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def _push_blob(repository: str, blob: bytes) -> None:
    begun = registry.request("POST", f"/v2/{repository}/blobs/uploads/", b"")
    _expect(begun, 202, f"upload to {repository}")
    location = begun.headers["Location"].removeprefix(f"http://{registry.HOST}:{registry.PORT}")
    joint = "&" if "?" in location else "?"
    done = registry.request("PUT", f"{location}{joint}digest={digest(blob)}", blob, "application/octet-stream")
    _expect(done, 201, f"layer of {repository}")


def _expect(answer: registry.Answer, status: int, what: str) -> None:
    if answer.status != status:
        raise ClusterError(f"the registry refused the {what}: {answer.status} {answer.body.decode(errors='replace')}")
