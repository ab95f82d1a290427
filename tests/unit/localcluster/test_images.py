"""The one image is made of bytes that depend on nothing but its content."""

from __future__ import annotations

import io
import tarfile

from localcluster import images


def test_the_layer_holds_busybox_and_a_link_for_each_applet() -> None:
    with tarfile.open(fileobj=io.BytesIO(images.layer(b"program", ["sh", "busybox", "sleep"]))) as archive:
        assert {member.name: member.linkname for member in archive if member.issym()} == {
            "bin/sh": "busybox",
            "bin/sleep": "busybox",
        }
        assert archive.getmember("bin/busybox").mode == 0o755
        assert archive.getmember("tmp").mode == 0o1777


def test_the_same_content_gives_the_same_digest() -> None:
    first, second = (images.layer(b"program", applets) for applets in (["sh", "sleep"], ["sleep", "sh"]))
    assert images.digest(first) == images.digest(second)


def test_the_image_does_nothing_for_ever() -> None:
    configuration = images.image_configuration(b"tar", "amd64")
    assert configuration["config"] == {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "infinity"]}
    assert configuration["rootfs"]["diff_ids"] == [images.digest(b"tar")]
