"""`streamjob validate`: exit codes, forms of output, and what manifests say of each other."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from streamjob_api.thing_models import ThingModels
from streamjob_cli.command_line import streamjob

API = "streamjob.dev/v1beta1"
MODELS = """\
models:
  - id: M
    points:
      - {id: A, type: AI, dataType: double}
      - {id: B, type: AI, dataType: double}
      - {id: C, type: AI, dataType: double}
      - {id: Label, type: Generic, dataType: string}
"""


def job(name: str, source: str = "M::A", output: str = "M::B", **spec: Any) -> dict[str, Any]:
    policy = {"input": source, "aggregation": "max", "windowSize": "10m", "output": output}
    template = {"name": "time-window-aggregation", "version": "1.0"}
    content = {"template": template, "timeWindowAggregation": {"policies": [policy]}, **spec}
    return {"apiVersion": API, "kind": "StreamJob", "metadata": {"name": name, "namespace": "ou"}, "spec": content}


def resource(name: str = "ou", namespace: str = "ou", **spec: Any) -> dict[str, Any]:
    content = {
        "capacity": {"design": 1, "standalone": 4},
        "libraries": [{"name": "time-window-aggregation", "version": "1.0"}],
        "kafka": {"bootstrapServers": "kafka:9092"},
        **spec,
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": "StreamResource", "metadata": metadata, "spec": content}


def config_map(text: str = MODELS, name: str = "thing-models") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ou"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"models.yaml": text}}


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(file: str, *documents: dict[str, Any]) -> str:
    Path(file).write_text(yaml.safe_dump_all(documents, sort_keys=False))
    return file


def run(*arguments: str, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(streamjob, ["validate", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def findings(*documents: dict[str, Any], arguments: tuple[str, ...] = ()) -> list[str]:
    """``kind/name: text`` of each finding but notes."""
    result = run(write("all.yaml", *documents), "--format", "json", *arguments)
    found = json.loads(result.stdout)["findings"]
    return [f"{each['kind']}/{each['name']}: {each['text']}" for each in found if each["level"] != "note"]


def test_right_manifests_exit_0_with_a_summary() -> None:
    result = run(write("all.yaml", job("a"), resource(), config_map()))
    assert (result.exit_code, result.stdout) == (
        0,
        "1 StreamJob and 1 StreamResource checked, 1 object of other kinds passed over: no faults\n",
    )


def test_faults_exit_2_with_file_line_and_object() -> None:
    result = run(write("all.yaml", resource(), job("a", state="Runing", rateLimit=0)))
    lines = Path("all.yaml").read_text().splitlines()
    state, rate = (next(n for n, line in enumerate(lines, 1) if name in line) for name in ("state:", "rateLimit:"))
    assert result.exit_code == 2
    states = "Draft, Released, Running, Paused, Stopped; did you mean 'Running'?"
    assert result.stdout.splitlines() == [
        f"all.yaml:{state}: StreamJob/a: spec.state: 'Runing' is not one of {states}",
        f"all.yaml:{rate}: StreamJob/a: spec.rateLimit: must be at least 1 and at most 10000000 (got 0)",
        "1 StreamJob and 1 StreamResource checked: 2 faults in 1 file",
    ]


def test_an_unreadable_file_exits_3_and_the_others_are_checked() -> None:
    result = run("none.yaml", write("all.yaml", job("a", state="x")))
    assert result.exit_code == 3
    assert "none.yaml: cannot be read: No such file or directory" in result.stdout
    assert "all.yaml:16: StreamJob/a: spec.state: 'x' is not one of" in result.stdout
    assert "1 StreamJob checked, 1 file unreadable: 2 faults in 2 files" in result.stdout


def test_no_file_is_a_wrong_call() -> None:
    assert run().exit_code == 2
    assert run("-", "--resource", "-").exit_code == 2
    assert run("a.yaml", "--models", "-").exit_code == 2


def test_standard_input_is_read() -> None:
    result = run("-", stdin=yaml.safe_dump(job("a", state="x")))
    assert result.exit_code == 2
    assert result.stdout.startswith("<stdin>:")


def test_quiet_tells_faults_alone() -> None:
    file = write("all.yaml", job("a", alarms={"lag": 10}))
    assert "warning: StreamJob/a: spec.alarms" in run(file).stdout
    assert "note: StreamJob/a: not checked against a StreamResource" in run(file).stdout
    assert run(file, "--quiet").stdout == ""
    assert run(file).exit_code == 0


def test_annotations_of_a_workflow_are_escaped() -> None:
    result = run(write("a,b.yaml", job("a", state="50%\n")), "--format", "github", "-q")
    assert result.stdout.startswith("::error file=a%2Cb.yaml,line=16,title=StreamJob/a::spec.state: '50%25\\n' is not")
    assert len(result.stdout.splitlines()) == 1


def test_json_holds_counts_and_findings() -> None:
    found = json.loads(run(write("all.yaml", job("a", zzz=1), config_map()), "--format", "json").stdout)
    assert (found["ok"], found["checked"], found["passedOver"]) == (False, {"StreamJob": 1}, 1)
    text = "spec.zzz: unknown field; leave it out, or look for its name in the reference"
    place = {"file": "all.yaml", "line": 16, "kind": "StreamJob", "name": "a"}
    assert found["findings"] == [{"level": "error", **place, "text": text}]
    right = json.loads(run(write("all.yaml", job("a")), "--format", "json").stdout)
    assert (right["ok"], [each["level"] for each in right["findings"]]) == (True, ["note"])


def test_unknown_names_and_types_are_found_in_the_config_map() -> None:
    jobs = [job("a", source="M::Reding"), job("b", output="M::Label")]
    unknown, mismatch, *_ = findings(config_map(), *jobs, resource(models={"configMap": "thing-models"}))
    assert "policies[0].input: model 'M' has no point 'Reding'" in unknown
    assert "policies[0].output: 'M::Label' is of data type string" in mismatch
    assert findings(config_map(), job("a"), resource(models={"configMap": "thing-models"})) == []


def test_thing_models_can_be_given_apart() -> None:
    Path("models.yaml").write_text(MODELS)
    for file in ("models.yaml", write("cm.yaml", config_map())):
        for others in ([], [resource(models={"configMap": "thing-models"})]):
            found = findings(job("a", source="M::X"), *others, arguments=("--models", file))
            path = "spec.timeWindowAggregation.policies[0].input"
            assert found == [f"StreamJob/a: {path}: model 'M' has no point 'X'; its points are A, B, C, Label"]


def test_wrong_thing_models_are_told_at_their_file() -> None:
    Path("models.yaml").write_text("models:\n  - {id: M, pionts: []}\n")
    with pytest.raises(ValueError, match="pionts") as refused:
        ThingModels.parse(Path("models.yaml").read_text())
    result = run(write("a.yaml", job("a")), "--models", "models.yaml", "-q")
    assert (result.exit_code, result.stdout) == (2, f"models.yaml: {refused.value}\n")
    result = run(write("a.yaml", job("a")), "--models", write("cm.yaml", config_map() | {"data": {}}), "-q")
    assert result.stdout == "cm.yaml: no ConfigMap with the key models.yaml is here\n"


def test_a_streamresource_can_be_given_apart() -> None:
    jobs = write("a.yaml", job("a", resources={"cu": 3}))
    given = run(jobs, "--resource", write("ou.yaml", resource(capacity={"standalone": 2})))
    assert given.exit_code == 2
    assert "needs 3 CU of standalone, but StreamResource ou has 2 in all" in given.stdout
    given = run(jobs, "--resource", jobs)
    assert "a.yaml: no StreamResource is here; --resource names the file that holds it" in given.stdout


def test_one_output_has_one_writer_whatever_the_order_of_files() -> None:
    text = (
        "StreamJob/b: spec.timeWindowAggregation.policies[0].output: M::B is written by the older StreamJob a already; "
        "choose another output or delete the older job"
    )
    assert findings(job("a"), job("b")) == findings(job("b"), job("a")) == [text]
    exported = deepcopy(job("b"))
    exported["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    later = deepcopy(job("a"))
    later["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    assert findings(later, exported)[0].startswith("StreamJob/a: spec.timeWindowAggregation.policies[0].output: M::B")


def test_a_draft_reserves_no_output() -> None:
    assert findings(job("a", state="Draft"), job("b")) == []


def test_loops_through_several_jobs_are_shown() -> None:
    found = findings(job("a", "M::A", "M::B"), job("b", "M::B", "M::C"), job("c", "M::C", "M::A"))
    assert len(found) == 1
    assert "M::C -(c)-> M::A -(a)-> M::B -(b)-> M::C" in found[0]


def test_libraries_are_checked() -> None:
    none = findings(job("a"), resource(libraries=[{"name": "calculators", "version": "1.0"}]))
    assert "is not installed by StreamResource ou; it installs calculators 1.0" in none[0]
    unknown = findings(resource(libraries=[{"name": "time-window-agregation", "version": "1.0"}]))
    assert "has no library time-window-agregation; did you mean 'time-window-aggregation'?" in unknown[0]
    four = [{"name": "time-window-aggregation", "version": f"1.{number}"} for number in range(4)]
    assert "4 libraries, but 1 design CU have 3 slots" in findings(resource(libraries=four))[0]


def test_a_namespace_has_one_streamresource_and_an_org_id_one_owner() -> None:
    (second,) = findings(resource("one"), resource("two"))
    assert second.startswith("StreamResource/two: StreamResource one is older and stays in force")
    taken = findings(resource("one", "ou-1", orgId="o1"), resource("two", "ou-2", orgId="o1"))
    assert taken[0].startswith("StreamResource/two: orgId o1 belongs to the older StreamResource ou-1/one")


def test_objects_without_a_namespace_belong_to_the_one_of_the_others() -> None:
    bare = job("a", resources={"cu": 4})
    del bare["metadata"]["namespace"]
    small = resource(capacity={"standalone": 1})
    assert "needs 4 CU of standalone" in findings(bare, small)[0]
    assert findings(bare, small | {"metadata": {"name": "x", "namespace": "y"}}, job("b", output="M::C")) == []


def test_an_invalid_streamresource_is_told_once() -> None:
    found = findings(job("a"), job("b", output="M::C"), resource(timezone="Europe/Berln"))
    assert len(found) == 1
    assert found[0].startswith("StreamResource/ou: spec.timezone: 'Europe/Berln' is no time zone")


def test_an_object_given_twice_is_a_fault() -> None:
    (found,) = findings(job("a"), job("a"))
    assert found == "StreamJob/a: metadata.name: also given at all.yaml:4; rename one, or leave one out"


def test_what_is_supported_later_is_told_as_the_operator_does() -> None:
    (found,) = findings(job("a"), resource(checkpoints={"uri": "s3a://bucket/checkpoints"}))
    assert "spec.checkpoints.uri: the runtime image has no client of object stores; write volumeClaim" in found


def test_other_kinds_are_passed_over_and_misspelt_ones_are_not() -> None:
    assert findings({"apiVersion": "v1", "kind": "Service"}, {"replicas": 3}) == []
    (found,) = findings(job("a") | {"kind": "StreamJobs"})
    assert found.endswith("kind: 'StreamJobs' is not one of StreamJob, StreamResource; did you mean 'StreamJob'?")


YAML = """\
apiVersion: streamjob.dev/v1beta1
kind: StreamJob
metadata: {name: a, namespace: ou}
spec:
  startFrom: {mode: Timestamp, time: 2026-01-31T00:00:00Z}
  template: {name: time-window-aggregation, version: "1.0"}
  timeWindowAggregation:
    policies:
      - {input: "M::A", aggregation: max, windowSize: 10m, output: "M::B"}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (YAML, ""),
        (f"---\n---\n{YAML}---\n", ""),
        (YAML.replace("\n", "\r\n"), ""),
        (f"\ufeff{YAML}", ""),
        (YAML.replace('"1.0"', "1.0"), "a.yaml:6: StreamJob/a: spec.template.version: expected a text, got the number"),
        (YAML + "\tx: 1\n", "a.yaml:10: no YAML: found"),
        (YAML.replace("spec:", "spec: {}\nspec:"), "a.yaml:5: key 'spec' is given twice"),
        (
            YAML.replace("metadata:", "metadta:"),
            "a.yaml:3: StreamJob: metadta: unknown field; did you mean 'metadata'?",
        ),
        (YAML.replace("spec:", "specs:"), "a.yaml:1: StreamJob/a: spec: required, but missing; it needs template"),
        ("- 1\n", "a.yaml:1: expected an object with apiVersion and kind, got a list"),
    ],
)
def test_yaml_is_read_as_kubectl_reads_it(text: str, told: str) -> None:
    Path("a.yaml").write_bytes(text.encode())
    result = run("a.yaml", "-q")
    assert (told in result.stdout) if told else (result.stdout == "")
    assert result.exit_code == (2 if told else 0)


def test_a_file_that_is_named_twice_is_read_once() -> None:
    Path("all").mkdir()
    write("all/job.yaml", job("a"))
    write("all/ou.yaml", resource(), config_map())
    for arguments in (("all", "all/job.yaml", "./all/job.yaml"), ("all", "--resource", "all/ou.yaml")):
        result = run(*arguments)
        assert "1 StreamJob and 1 StreamResource checked" in result.stdout
        assert result.exit_code == 0


def test_models_that_a_streamresource_does_not_name_are_told() -> None:
    Path("models.yaml").write_text(MODELS)
    told = "a.yaml:1: note: StreamResource/ou: --models has no effect: "
    for ou, is_told in ((resource(), True), (resource(models={"configMap": "thing-models"}), False)):
        result = run(write("a.yaml", ou, job("a")), "--models", "models.yaml")
        assert (told in result.stdout) is is_told
        assert result.exit_code == 0


def test_no_name_of_a_manifest_begins_a_line_of_its_own() -> None:
    result = run(write("a.yaml", job("a\n::error::x\x1b[31m")), "-q")
    assert [line.partition(": ")[0] for line in result.stdout.splitlines()] == ["a.yaml:4"]
    assert r"StreamJob/a\n::error::x\x1b[31m: metadata.name: " in result.stdout


def test_files_are_told_in_the_order_given() -> None:
    bad = job("a", state="x")
    second = job("b", state="x", output="M::C")
    Path("z").mkdir()
    result = run(write("z/one.yaml", bad), write("a.yaml", second), "-q")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["z/one.yaml", "a.yaml"]


def test_help_has_examples_and_exit_codes() -> None:
    result = run("--help")
    assert "helm template ./chart | streamjob validate -" in result.stdout
    assert "Exit codes: 0 no faults, 2 faults, 3 a file that cannot be read" in result.stdout
