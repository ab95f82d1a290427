"""The page on Cluster mode: its manifests are right, and its numbers are the program's."""

import re
from pathlib import Path
from typing import Any

import yaml

from fixtures.chart import chart as our_chart
from fixtures.chart import of_kind
from streamjob_api.faults import parse_spec
from streamjob_api.job_file import BLOCKS_PORT, DRIVER_RPC_PORT
from streamjob_api.memory import memory_of
from streamjob_api.resources import Resources
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator.plan.pod_parts import SPARK_USER
from streamjob_operator.validation.verdicts import never_suffices
from streamjob_runtime.memory import messages_per_batch

PAGE = (Path(__file__).parents[3] / "docs" / "cluster-mode.md").read_text()


def manifests() -> dict[str, dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return {document["kind"]: document for block in blocks for document in yaml.safe_load_all(block)}


def test_the_example_is_right_and_fits_its_ou() -> None:
    found = manifests()
    job, resource = (
        parse_spec(StreamJobSpec, found["StreamJob"]["spec"]),
        parse_spec(StreamResourceSpec, found["StreamResource"]["spec"]),
    )
    assert never_suffices(job, "energy", resource) is None
    assert f"It takes {job.resources.total_cu:g} CU" in PAGE
    assert resource.checkpoints.claim_name


def test_the_rights_are_those_that_the_chart_gives() -> None:
    rendered = our_chart().render({"drivers": {"cluster": {"namespaces": ["ou"]}}})
    for kind in ("ServiceAccount", "Role", "RoleBinding"):
        (ours,) = (each for each in of_kind(kind, rendered) if each["metadata"]["name"] == "streamjob-driver")
        theirs = manifests()[kind]
        assert theirs["metadata"]["name"] == ours["metadata"]["name"]
        assert theirs.get("rules") == ours.get("rules")
        assert theirs.get("roleRef") == ours.get("roleRef")


def test_the_numbers_are_the_programs() -> None:
    workers = Resources.model_validate({"mode": "Cluster", "master": {"cu": 1}, "workers": 1, "worker": {"cu": 1}})
    many = workers.model_copy(update={"workers": 100})
    assert f"{messages_per_batch(workers):,} messages" in PAGE
    assert f"{messages_per_batch(many):,} for each CU of the master" in PAGE
    assert f"takes {memory_of(1).heap_mib} MiB, RocksDB {memory_of(1).rocksdb_mib} MiB" in PAGE
    assert f"user and group {SPARK_USER}" in PAGE
    assert f"ports {DRIVER_RPC_PORT} and {BLOCKS_PORT}" in PAGE
