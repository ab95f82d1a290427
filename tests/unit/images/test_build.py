"""How images are called, and what is said when they cannot be built."""

from pathlib import Path

import pytest

from images import base
from images.build import references
from images.inputs import IMAGES
from images.prerequisites import needed_programs, problems


def test_pods_pull_from_the_local_registry_unless_told_otherwise() -> None:
    local = references(["operator"], {})["operator"]
    elsewhere = references(["operator"], {"STREAMJOB_IMAGE_PREFIX": "registry.example.org/me/"})["operator"]
    assert local.startswith("localhost:5001/streamjob/operator:")
    assert elsewhere.startswith("registry.example.org/me/operator:")
    assert local.rpartition(":")[2] == elsewhere.rpartition(":")[2]


def test_all_images_have_a_reference() -> None:
    assert set(references(environment={})) == set(IMAGES) == {"operator", "runtime", "kafka", "redis"}


def test_a_base_image_of_the_users_choice_is_taken_as_it_is() -> None:
    assert base.reference({"STREAMJOB_BASE_IMAGE": "debian:bookworm-slim"}) == "debian:bookworm-slim"


def test_a_certificate_that_the_machine_trusts_is_part_of_the_base_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CERTIFICATES", tmp_path)
    before = base.reference({})
    (tmp_path / "proxy.crt").write_text("-----BEGIN CERTIFICATE-----")
    assert base.reference({}) != before


@pytest.mark.parametrize(
    ("name", "makes_base", "fetches_kafka", "expected"),
    [
        ("operator", False, True, {"buildah"}),
        ("operator", True, True, {"buildah", "debootstrap"}),
        ("kafka", False, True, {"buildah", "maven"}),
        ("kafka", False, False, {"buildah"}),
    ],
)
def test_only_what_an_image_needs_is_asked_for(
    name: str,
    makes_base: bool,
    fetches_kafka: bool,
    expected: set[str],
) -> None:
    assert set(needed_programs(IMAGES[name], makes_base=makes_base, fetches_kafka=fetches_kafka)) == expected


def test_everything_missing_is_said_at_once_with_the_remedy() -> None:
    said = [str(problem) for problem in problems({"buildah": "buildah", "maven": "mvn"}, user_id=1000)]
    assert said == [
        "Programs are missing: buildah, mvn. Remedy: as root: apt-get install buildah maven",
        "Building images needs root. Remedy: run the command with sudo",
    ]


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert problems({}, user_id=0) == []
