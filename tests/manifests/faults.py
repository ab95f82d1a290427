"""What is wrong with a manifest, as the models say it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.kinds import STREAM_JOB, STREAM_RESOURCE
from streamjob_api.metadata import metadata_faults
from streamjob_api.places import required
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

MODELS: Mapping[str, type[BaseModel]] = {STREAM_JOB: StreamJobSpec, STREAM_RESOURCE: StreamResourceSpec}


def faults_of(manifest: Mapping[str, Any]) -> list[str]:
    """Every fault: those of the metadata, then those of the spec in its order."""
    found = metadata_faults(manifest)
    model = MODELS[manifest["kind"]]
    if "spec" not in manifest:  # no API server stores such an object
        return [*found, f"spec: required, but missing; it needs {', '.join(required(model))}"]
    try:
        parse_spec(model, manifest["spec"])
    except InvalidSpec as error:
        found += error.faults
    return found
