"""``streamjob preview`` of pipelines: what stages give, for all or for one, and of some assets."""

import json
from pathlib import Path

from fixtures.http_host import Host
from unit.calculators.pipelines import Sent, stage
from unit.cli.previews import job, manifest, resource, written
from unit.cli.test_preview import preview

STAGES = [
    stage("point-selector", points=["M::A"]),
    stage("off-limit-tagger", "point-selector", input="M::A", threshold="[0, 10]", output="M::B"),
]
PIPELINE = job() | {"spec": {"template": {"name": "pipeline", "version": "1.0"}, "pipeline": {"stages": STAGES}}}
LINES = [sent.line.decode() for sent in (Sent("A", 1, 5, "a"), Sent("A", 2, 50, "b"), Sent("C", 3, 1, "a"))]


def test_a_trace_shows_an_asset_after_each_stage(tmp_path: Path) -> None:
    result = preview(manifest(tmp_path, PIPELINE), "--input", written(tmp_path, LINES), "--trace", "b")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["stage"] for each in told] == ["source", "point-selector", "off-limit-tagger"]
    assert {each["record"]["assetId"] for each in told} == {"b"}
    assert told[-1]["record"]["attr"]["isOutlier"] is True


def test_a_stage_shows_what_it_gives_in_place_of_results(tmp_path: Path) -> None:
    result = preview(manifest(tmp_path, PIPELINE), "--input", written(tmp_path, LINES), "--stage", "point-selector")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["assetId"], each["pointId"], each["value"]) for each in told] == [("a", "A", 5), ("b", "A", 50)]


def test_people_read_a_table(tmp_path: Path) -> None:
    arguments = ("--input", written(tmp_path, LINES), "--trace", "*", "--format", "table", "--limit", "3")
    told = preview(manifest(tmp_path, PIPELINE), *arguments).stdout
    assert "3 of 6 records; --limit 0 shows all" in told
    assert "point-selector" in told


def test_hosts_are_asked_with_the_secret_of_a_folder(tmp_path: Path) -> None:
    auth = tmp_path / "auth"
    auth.mkdir()
    (auth / "token").write_text("t0ken")
    with Host.serving() as host:
        client = stage("internal-http-client", url=f"http://{host.name}/a", input="M::A", output="M::B", result="path")
        asking = job() | {"spec": PIPELINE["spec"] | {"pipeline": {"stages": [client]}}}
        manifests = manifest(tmp_path, asking, resource(pipelines={"http": {"hosts": [host.name]}}))
        arguments = (manifests, "--input", written(tmp_path, LINES), "--format", "json")
        asked = [preview(*arguments, "--http-auth", str(auth)), preview(*arguments)]
    assert [host.authorizations[0], host.authorizations[-1]] == ["Bearer t0ken", None]
    for result in asked:
        told = [json.loads(line) for line in result.stdout.splitlines()]
        assert [json.loads(each["attr"]["internalHttpClient"]) for each in told] == ["/a", "/a"]


def test_a_stage_that_there_is_not_is_met_with_the_nearest_one(tmp_path: Path) -> None:
    result = preview(manifest(tmp_path, PIPELINE), "--input", written(tmp_path, LINES), "--stage", "point-selektor")
    assert result.exit_code == 2
    assert "the pipeline has no stage 'point-selektor'; did you mean 'point-selector'?" in result.stderr


def test_other_templates_have_no_stages(tmp_path: Path) -> None:
    result = preview(manifest(tmp_path, job()), "--input", written(tmp_path, LINES), "--stage", "a")
    assert result.exit_code == 2
    assert "--stage and --trace look into pipelines" in result.stderr
