"""What the command makes of a job in the cluster, and of the answers of the pod beside its checkpoint."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from streamjob_api.checkpoint_tools import (
    MAX_REQUEST_CHARACTERS,
    Action,
    Answer,
    Done,
    HeldRow,
    OffsetRow,
    ToolRequest,
    from_arguments,
    to_arguments,
)
from streamjob_api.job_file import JobFile
from streamjob_api.kinds import ATTEMPT_LABEL, COMPONENT_LABEL, JOB_LABEL
from streamjob_api.points import PointRef
from streamjob_cli.checkpoint_call import answers_of
from streamjob_cli.cluster_access import Unreachable, ended_before, obstacle
from streamjob_cli.command_line import streamjob
from streamjob_cli.job_standing import WrongState, live_driver, refuse_unless_paused, subject_of
from streamjob_cli.row_tables import show_held, show_offsets, show_trial
from streamjob_cli.tool_pod import tool_pod

Manifest = dict[str, Any]
READING = PointRef("Meter", "Reading")


def job(state: str | None = "Paused", **status: Any) -> Manifest:
    spec: Manifest = {"template": {"name": "time-window-aggregation", "version": "1.0"}}
    spec |= {"state": state} if state else {}
    return {"metadata": {"name": "max", "uid": "u1"}, "spec": spec, "status": status}


def told(attempt: int, epoch: int = 0, **spec: Any) -> Manifest:
    policy = {"input": str(READING), "aggregation": "max", "windowSize": "10m", "output": "Meter::Max"}
    document = {
        "job": {
            "namespace": "ou", "name": "max", "uid": "u1", "created": "2026-01-01T00:00:00Z",
            "attempt": attempt, "epoch": epoch, "generation": 1,
        },
        "orgId": "o1",
        "spec": {
            "template": {"name": "time-window-aggregation", "version": "1.0"},
            "timeWindowAggregation": {"policies": [policy]},
            **spec,
        },
        "kafka": {"bootstrapServers": "kafka:9092", "authSecret": "kafka-client"},
    }  # fmt: skip
    data = JobFile.model_validate(document).model_dump_json(exclude_none=True)
    metadata = {"name": f"max-{attempt}-job", "labels": {ATTEMPT_LABEL: str(attempt)}}
    return {"metadata": metadata, "data": {"job.json": data}}


def pod(attempt: int, phase: str) -> Manifest:
    spec = {"containers": [{"image": f"runtime:{attempt}"}], "tolerations": [{"key": "k"}], "nodeSelector": {}}
    metadata = {"name": f"max-{attempt}-driver", "labels": {ATTEMPT_LABEL: str(attempt)}}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("Running", "max: spec.state is Running; set it to Paused to reset its offsets"),
        (None, "max: spec.state is Running; set it to Paused"),
        ("Stopped", "spec.state is Stopped: there are no offsets and no state to reset its offsets; spec.startFrom"),
        ("Draft", "spec.state is Draft: there are no offsets"),
    ],
)
def test_only_a_paused_job_is_changed(state: str | None, words: str) -> None:
    with pytest.raises(WrongState, match=words):
        refuse_unless_paused(job(state), [], "reset its offsets")


def test_a_paused_job_is_left_alone_while_its_driver_ends() -> None:
    with pytest.raises(WrongState, match="pod max-2-driver still ends"):
        refuse_unless_paused(job(), [pod(2, "Running"), pod(1, "Failed")], "delete its state")
    refuse_unless_paused(job(), [pod(2, "Succeeded")], "delete its state")
    assert live_driver([pod(1, "Failed"), pod(3, "Pending")]) == pod(3, "Pending")


def test_a_paused_job_is_left_alone_while_an_executor_lives() -> None:
    executor = pod(2, "Running")
    executor["metadata"] |= {"name": "max-2-exec-1"}
    with pytest.raises(WrongState, match="pod max-2-exec-1 still ends"):
        refuse_unless_paused(job(), [pod(2, "Failed"), executor], "reset its offsets")
    executor["status"]["phase"] = "Succeeded"
    refuse_unless_paused(job(), [pod(2, "Failed"), executor], "reset its offsets")


def test_the_pod_runs_on_the_node_of_a_driver_that_lives() -> None:
    def affinity(driver: Manifest) -> Any:
        subject = subject_of(job("Running"), [pod(1, "Failed"), driver], [told(2)], [])
        return tool_pod(subject, [], needs_spark=True)["spec"].get("affinity")

    driver = pod(2, "Running")
    assert affinity(driver) is None, "nobody knows its node yet"
    driver["spec"]["nodeName"] = "n1"
    (term,) = affinity(driver)["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"] == {JOB_LABEL: "max", COMPONENT_LABEL: "driver"}
    driver["status"]["phase"] = "Succeeded"
    assert affinity(driver) is None


def test_a_pod_that_has_just_ended_is_left_to_who_reads_its_log() -> None:
    ended = {"state": {"terminated": {"finishedAt": "2026-01-01T00:05:00Z"}}}
    left = pod(1, "Succeeded") | {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}}
    left["status"]["containerStatuses"] = [ended]
    assert not ended_before(left, datetime(2026, 1, 1, 0, 4, 59, tzinfo=UTC))
    assert ended_before(left, datetime(2026, 1, 1, 0, 5, 1, tzinfo=UTC))
    left["status"] = {"phase": "Failed"}
    assert ended_before(left, datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)), "it never ran, so it has no log"
    left["status"] = {"phase": "Running"}
    assert not ended_before(left, datetime(2027, 1, 1, tzinfo=UTC))


def test_the_pod_is_the_last_drivers_own_but_for_what_it_runs() -> None:
    shared = {"metadata": {}, "spec": {"checkpoints": {"claimName": "shared"}}}
    subject = subject_of(job(deployed={"epoch": 1}), [pod(9, "Failed")], [told(8), told(10, epoch=1)], [shared])
    assert (subject.config_map, subject.image, subject.claim) == ("max-10-job", "runtime:9", "shared")
    made = tool_pod(subject, ["request"], needs_spark=False)
    (container,) = made["spec"]["containers"]
    mounted = {volume["name"]: volume for volume in made["spec"]["volumes"]}
    assert mounted["checkpoint"] == {"name": "checkpoint", "persistentVolumeClaim": {"claimName": "shared"}}
    assert mounted["job-file"]["configMap"] == {"name": "max-10-job"}
    assert mounted["kafka-auth"] == {"name": "kafka-auth", "secret": {"secretName": "kafka-client"}}
    assert {mount["name"] for mount in container["volumeMounts"]} == mounted.keys()
    assert container["command"][-2:] == ["/etc/streamjob/job/job.json", "request"]
    assert container["resources"]["limits"]["memory"] == "512Mi"
    assert made["spec"]["tolerations"] == [{"key": "k"}]
    assert "nodeSelector" not in made["spec"]


def test_the_pod_is_restricted_ends_by_itself_and_goes_with_its_job() -> None:
    made = tool_pod(subject_of(job(deployed={"image": "r:1"}), [], [told(1)], []), [], needs_spark=True)
    spec = made["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["automountServiceAccountToken"] is False
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["containers"][0]["resources"]["limits"]["memory"] == "2048Mi"
    assert [owner["uid"] for owner in made["metadata"]["ownerReferences"]] == ["u1"]
    assert not {JOB_LABEL, COMPONENT_LABEL} & made["metadata"]["labels"].keys(), "the operator takes it for a driver"
    assert len(made["metadata"]["generateName"]) + 5 <= 63


def test_the_image_is_the_deployed_one_or_that_of_the_library() -> None:
    library = {"name": "time-window-aggregation", "version": "1.0", "image": "r:lib"}
    resource = {"metadata": {}, "spec": {}, "status": {"libraries": [library]}}
    assert subject_of(job(deployed={"image": "r:1"}), [pod(1, "Failed")], [told(1)], [resource]).image == "r:1"
    assert subject_of(job(), [], [told(1)], [resource]).image == "r:lib"
    with pytest.raises(WrongState, match="does not say which image"):
        subject_of(job(), [], [told(1)], [])


def test_a_job_without_state_says_so() -> None:
    with pytest.raises(WrongState, match="the job has never run"):
        subject_of(job(), [], [], [])
    with pytest.raises(WrongState, match="state and offsets were dropped"):
        subject_of(job(deployed={"epoch": 2}), [], [told(4, epoch=1)], [])


def test_requests_of_all_sizes_travel_as_arguments() -> None:
    chance = random.Random(1)  # noqa: S311 (repeatable)
    assets = [f"asset-{chance.getrandbits(40):010x}" for _ in range(50_000)]
    for request in (
        ToolRequest(action=Action.SHOW_OFFSETS),
        ToolRequest(action=Action.FORGET_STATE, assets=assets, points=[READING]),
    ):
        arguments = to_arguments(request)
        assert from_arguments(arguments) == request
        assert max(map(len, arguments)) < 128 * 1024
        assert sum(map(len, arguments)) < MAX_REQUEST_CHARACTERS


def lines(*answers: Answer) -> list[str]:
    return ['WARN SparkConf: {"not": "ours"}', '{"level": "INFO"}', *(one.model_dump_json() for one in answers), "bye"]


def test_answers_are_found_among_the_lines_of_a_log() -> None:
    row, done = Answer(offset=OffsetRow(topic="t", partition=0, position=1)), Answer(done=Done(rows=1))
    assert answers_of(iter(lines(row, done)), "r") == [row, done]


def test_a_lost_line_and_an_early_end_are_told() -> None:
    with pytest.raises(Unreachable, match="of the pod's 2 rows 1 came through"):
        answers_of(iter(lines(Answer(held=HeldRow(asset="a", point="", kind="k")), Answer(done=Done(rows=2)))), "r")
    with pytest.raises(Unreachable, match=r"ended without an answer: .*bye"):
        answers_of(iter(lines()), "r")
    with pytest.raises(Unreachable, match="image r is older than this command"):
        answers_of(iter(["python: No module named streamjob_runtime.state_tools"]), "r")
    with pytest.raises(WrongState, match=r"^no$"):
        answers_of(iter(lines(Answer(refused="no"))), "r")


def test_a_pod_that_waits_says_why() -> None:
    waiting = {"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "no such"}}}]}
    assert obstacle(waiting) == "ErrImagePull no such"
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}
    assert obstacle({"conditions": [scheduled]}) == "Unschedulable no room"
    assert obstacle({}) == ""


def test_tables_show_what_people_need(capsys: pytest.CaptureFixture[str]) -> None:
    show_offsets([OffsetRow(topic="t", partition=3, position=7, after=2)], "table")
    shown = capsys.readouterr().out
    assert [text for text in ("t", "3", "7", "2", "after") if text not in shown] == []
    fields = {"time": 1_767_225_600_000, "endTime": 1_767_226_200_000, "max": 7.0, "outputs": ["M::Max"]}
    show_held([HeldRow(asset="m1", point="M::A", kind="window", fields=fields, pending=True)], "table")
    shown = " ".join(capsys.readouterr().out.split())
    assert "2026-01-01T00:00:00Z" in shown
    assert "endTime=2026-01-01T00:10:00Z, max=7, outputs=M::Max" in shown
    assert "to be forgotten" in shown


def test_what_a_reset_would_do_is_shown_beside_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    show_trial([OffsetRow(topic="t", partition=3, position=7, after=2)])
    shown = capsys.readouterr()
    assert (shown.out, "after" in shown.err) == ("", True)


def test_programs_get_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_offsets([OffsetRow(topic="t", partition=3, position=7)], None)
    assert json.loads(capsys.readouterr().out) == {"topic": "t", "partition": 3, "position": 7}
    show_held([HeldRow(asset="m1", point="", kind="device", fields={"site": None})], "json")
    assert json.loads(capsys.readouterr().out) == {
        "asset": "m1", "point": "", "kind": "device", "fields": {"site": None}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["offsets", "reset", "max", "--to", "newest"], "'newest' is no place to read on from"),
        (["state", "show", "max", "--asset", "m", "--point", "Reading"], "'Reading' is not of the form model::point"),
        (["state", "delete", "max", "--asset", "m["], "'m[' is not a pattern of asset ids"),
        (["state", "delete", "max"], "Missing option '--asset'"),
    ],
)
def test_wrong_arguments_are_told_before_the_cluster_is_asked(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(streamjob, arguments)
    assert (result.exit_code, words in " ".join(result.output.split())) == (2, True), result.output


def test_without_a_cluster_the_command_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    result = CliRunner().invoke(streamjob, ["offsets", "show", "max"])
    assert (result.exit_code, "set KUBECONFIG as for kubectl" in result.output) == (3, True), result.output


@pytest.mark.parametrize("command", [["offsets"], ["offsets", "reset"], ["state", "show"], ["state", "delete"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(streamjob, [*command, "--help"])
    assert result.exit_code == 0
    assert "Exit codes: 0 done" in result.output
