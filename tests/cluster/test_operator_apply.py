"""What the plan makes, as the API server takes it."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from cluster.operator_process import Manifest, Ou
from fixtures.eventually import eventually
from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.api_server.connection import connection_from_environment

GOLDEN = Path(__file__).parents[1] / "unit" / "golden"


def test_what_the_plan_makes_is_accepted_by_the_dry_run(ou: Ou) -> None:
    for account in ("drivers", "streamjob-driver"):
        ou.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}})
    for case in sorted(GOLDEN.iterdir()):
        for manifest in yaml.safe_load_all((case / "plan.yaml").read_text()):
            manifest["metadata"]["namespace"] = ou.namespace
            text = json.dumps(manifest)
            ou.cluster.kubectl("apply", "--server-side", "--dry-run=server", "-n", ou.namespace, "-f", "-", input=text)


async def test_applying_twice_changes_nothing(ou: Ou) -> None:
    manifests = unowned("minimal", ou.namespace)
    cluster = Cluster(await connection_from_environment(str(ou.cluster.kubeconfig)))
    try:
        await cluster.apply(manifests)
        pod = manifests[-1]["metadata"]["name"]
        eventually(lambda: ou.get("pod", pod)["status"].get("conditions"))
        first = await cluster.apply(manifests)
        second = await cluster.apply(manifests)
    finally:
        await cluster.close()
    assert [applied["metadata"] for applied in second] == [applied["metadata"] for applied in first]


def unowned(case: str, namespace: str) -> list[Manifest]:
    """A plan for no job: the garbage collector would delete what belongs to one that is not there."""
    manifests = list(yaml.safe_load_all((GOLDEN / case / "plan.yaml").read_text()))
    for manifest in manifests:
        del manifest["metadata"]["ownerReferences"]
        manifest["metadata"]["namespace"] = namespace
    manifests[-1]["spec"]["nodeSelector"] = {"no": "such-node"}
    return manifests
