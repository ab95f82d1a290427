"""Every metric of the operator has a row, and every row is of a metric."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.core import Metric

from streamjob_operator.metrics import PREFIX
from streamjob_operator.service import Operator
from streamjob_operator.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()


def written(family: Metric) -> str:
    return family.name.removeprefix(PREFIX) + ("_total" if family.type == "counter" else "")


async def test_every_metric_has_a_row_and_every_row_is_of_a_metric() -> None:
    operator = Operator(Settings(), lambda: None)
    told = {written(each) for each in operator.metrics.registry.collect() if each.name.startswith(PREFIX)}
    cells = re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == told
