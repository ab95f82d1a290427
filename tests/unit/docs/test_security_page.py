"""The page on security: its NetworkPolicy shuts nobody out who is needed, and it tells all rights of the operator."""

import re
from pathlib import Path
from typing import Any

import yaml

from fixtures.chart import chart as our_chart
from fixtures.chart import of_kind
from streamjob_api.job_file import BLOCKS_PORT, DRIVER_HTTP_PORT, DRIVER_RPC_PORT
from streamjob_api.kinds import CHECK, COMPONENT_LABEL, DRIVER, EXECUTOR, JOB_LABEL

PAGE = (Path(__file__).parents[3] / "docs" / "security.md").read_text()
JOB = "meter-max"


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    one_of = all(labels.get(each["key"]) in each["values"] for each in selector["matchExpressions"])
    return one_of and selector["matchLabels"].items() <= labels.items()


def test_the_network_policy_lets_the_jobs_own_pods_alone_speak_spark() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    spec = yaml.safe_load(block)["spec"]
    spark, open_to_all = spec["ingress"]
    (source,) = spark["from"]
    for component, wanted in ((DRIVER, True), (EXECUTOR, True), (CHECK, False)):
        for selector in (spec["podSelector"], source["podSelector"]):
            assert selects(selector, {JOB_LABEL: JOB, COMPONENT_LABEL: component}) is wanted
            assert not selects(selector, {JOB_LABEL: "another", COMPONENT_LABEL: component})
    assert spark["ports"] == [{"protocol": "TCP", "port": DRIVER_RPC_PORT, "endPort": BLOCKS_PORT}]
    assert open_to_all == {"ports": [{"protocol": "TCP", "port": DRIVER_HTTP_PORT}]}


def test_the_page_names_all_that_the_operator_has_rights_on() -> None:
    section = PAGE.partition("## What the operator would give away")[2].lower()
    roles = [*of_kind("ClusterRole", our_chart().render({})), *of_kind("Role", our_chart().render({}))]
    rules = [rule for role in roles if "operator" in role["metadata"]["name"] for rule in role["rules"]]
    resources = {name.partition("/")[0] for rule in rules for name in rule["resources"]}
    assert {"configmaps", "controllerrevisions", "leases"} <= resources
    assert [name for name in sorted(resources) if name not in section] == []
