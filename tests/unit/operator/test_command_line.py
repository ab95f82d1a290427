"""The process's settings: a flag wins over the environment, that over the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamjob_operator.command_line import settings_from


@pytest.fixture
def catalogue(tmp_path: Path) -> str:
    path = tmp_path / "catalogue.yaml"
    path.write_text("templates: [{name: t, version: '1.0', image: 'example.org/t:1'}]")
    return f"--catalogue={path}"


def test_the_catalogue_is_read(catalogue: str) -> None:
    settings = settings_from([catalogue], {})
    assert settings.catalogue.image("t", "1.0") == "example.org/t:1"
    assert (settings.namespaces, settings.leader_election, settings.driver.cpu_request_per_cu) == ((), True, 1.0)


def test_a_flag_wins_over_the_environment(catalogue: str) -> None:
    environment = {
        "STREAMJOB_NAMESPACES": "a, b",
        "STREAMJOB_CPU_REQUEST_PER_CU": "0.1",
        "STREAMJOB_LEADER_ELECTION": "false",
        "STREAMJOB_DRIVER_NODE_SELECTOR": '{"disktype": "ssd"}',
        "STREAMJOB_DRIVER_TOLERATIONS": '[{"key": "streams"}]',
    }
    settings = settings_from([catalogue, "--cpu-request-per-cu=0.5"], environment)
    assert settings.namespaces == ("a", "b")
    assert settings.driver.cpu_request_per_cu == 0.5
    assert not settings.leader_election
    assert settings.driver.node_selector == {"disktype": "ssd"}
    assert settings.driver.tolerations == ({"key": "streams"},)


def test_an_unreadable_catalogue_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings_from(["--catalogue=/nowhere.yaml"], {})
    assert "catalogue /nowhere.yaml: [Errno 2] No such file" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings_from(["--help"], {})
    assert "python -m streamjob_operator --namespaces" in capsys.readouterr().out
