"""The published JSON schemas of what operator and driver exchange."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema

from streamjob_api import schemas
from streamjob_api.progress import DriverState, Progress, Rates

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"


def test_the_committed_schemas_are_what_the_models_say() -> None:
    committed = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
    assert committed == schemas.rendered(), "stale: run `make crds`"


def test_a_progress_report_obeys_its_schema() -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    report = Progress(
        state=DriverState.RUNNING, attempt=1, started_at=now, observed_at=now, throughput={"1m": Rates(messages=1.5)}
    )
    jsonschema.validate(json.loads(report.model_dump_json()), json.loads((FOLDER / "progress.json").read_text()))
