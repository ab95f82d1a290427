"""Make the CRDs from the models: ``python -m streamjob_api.crd FOLDER``.

pydantic writes JSON Schema; Kubernetes takes its structural subset: no ``$ref``, no ``anyOf`` with null, no titles,
no exclusive bounds as numbers. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from streamjob_api import kinds
from streamjob_api.diffs import DIFF_KEY
from streamjob_api.schema_marks import UNIT_KEY, rules
from streamjob_api.status import StreamJobStatus, StreamResourceStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

Schema = dict[str, Any]

_HEADER = "# Made from the models by `make crds`; do not edit.\n"
_DROPPED = {"title", "default", "$defs", "format", "additionalProperties", "multipleOf", "examples", "const"}
_DROPPED |= {"description", "exclusiveMinimum", DIFF_KEY, UNIT_KEY}
# Kubernetes types whose format it knows and checks.
_FORMATS = {"date-time"}


def structural(schema: Any, definitions: Schema | None = None, *, in_list: bool = False) -> Schema:
    """Turn pydantic's JSON Schema into a structural one.

    Defaults stay only outside of lists: a default in a list item shows as an eternal difference in Argo CD.
    """
    definitions = schema.get("$defs", definitions or {})
    schema = _resolved(schema, definitions)
    result = _kept(schema)
    if "description" in schema:
        result["description"] = described(schema)
    if schema.get("format") in _FORMATS:
        result["format"] = schema["format"]
    if has_default(schema) and not in_list:
        result["default"] = plain(schema["default"])
    if "const" in schema:
        result["enum"] = [schema["const"]]
    if "exclusiveMinimum" in schema:
        result |= {"minimum": schema["exclusiveMinimum"], "exclusiveMinimum": True}
    if "multipleOf" in schema:
        _whole_multiples(result, schema["multipleOf"])
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = structural(schema["additionalProperties"], definitions, in_list=in_list)
    if "properties" in schema:
        result["properties"] = {
            name: structural(child, definitions, in_list=in_list) for name, child in schema["properties"].items()
        }
    if "items" in schema:
        result["items"] = structural(schema["items"], definitions, in_list=True)
    return result


def _kept(schema: Schema) -> Schema:
    # What a rule says in a sentence, the server must not say by a pattern, which would stop it before the rules.
    dropped = _DROPPED | {"pattern"} if "x-kubernetes-validations" in schema else _DROPPED
    return {key: value for key, value in schema.items() if key not in dropped}


def described(schema: Schema) -> str:
    """What a field means, with its default, unit, diff class and an example."""
    told = [schema["description"]]
    if has_default(schema):
        told.append(f"Default {written(plain(schema['default']))}.")
    if UNIT_KEY in schema:
        told.append(f"Unit: {schema[UNIT_KEY]}.")
    if DIFF_KEY in schema:
        told.append(f"On change: {schema[DIFF_KEY]}.")
    if schema.get("examples"):
        told.append(f"Example: {written(schema['examples'][0])}.")
    return " ".join(told)


def has_default(schema: Schema) -> bool:
    """Whether a field has a default worth a word; parts of a spec have the defaults of their fields."""
    default = schema.get("default")
    return default not in (None, "", [], {}) and schema.get("type") != "object"


def plain(default: Any) -> Any:
    """A written value's default as it is written; pydantic shows its fields."""
    return default["text"] if isinstance(default, dict) and "text" in default else default


def written(value: Any) -> str:
    """A value as a manifest has it."""
    return value if isinstance(value, str) else json.dumps(value)


def _whole_multiples(result: Schema, factor: float) -> None:
    # The API server rounds the factor of an integer value down, so that 0.5 becomes 0; CEL does not.
    steps = 1 / factor
    rule = f"self * {steps:.1f} == double(int(self * {steps:.1f}))"
    result.setdefault("x-kubernetes-validations", []).append(
        {"rule": rule, "message": f"must be a multiple of {factor:g}"}
    )


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """Replace ``$ref`` and ``anyOf [X, null]`` by X; what stands beside them wins."""
    beside = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf", "allOf"}}
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions) | beside
    if "anyOf" in schema:
        (variant,) = [variant for variant in schema["anyOf"] if variant.get("type") != "null"]
        return _resolved(variant, definitions) | beside
    return schema


def _schema_of(model: type[BaseModel]) -> Schema:
    return structural(model.model_json_schema(by_alias=True, mode="validation"))


def _column(name: str, path: str, kind: str = "string", *, wide: bool = False) -> Schema:
    return {"name": name, "type": kind, "jsonPath": path, **({"priority": 1} if wide else {})}


def _ready(field: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{field}'


def stream_job_crd() -> Schema:
    """The CustomResourceDefinition of StreamJob."""
    spec, status = _schema_of(StreamJobSpec), _schema_of(StreamJobStatus)
    columns = [
        _column("Phase", ".status.phase"),
        _column("Ready", _ready("status")),
        _column("Template", ".spec.template.name"),
        _column("Records/s", ".status.throughput.inputRecordsPerSecond", "number"),
        _column("Lag", ".status.throughput.lagRecords", "integer"),
        _column("Restarts", ".status.restarts.total", "integer"),
        _column("Age", ".metadata.creationTimestamp", "date"),
        _column("Reason", _ready("reason"), wide=True),
        _column("Driver", ".status.driver.podName", wide=True),
        _column("Executors", ".status.executors.running", "integer", wide=True),
        _column("Message", _ready("message"), wide=True),
    ]
    crd = _crd(kinds.STREAM_JOB, kinds.STREAM_JOBS, "sj", spec, status, columns)
    root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    root |= rules(
        (
            f"metadata.name is at most {kinds.MAX_JOB_NAME} characters, since driver pods are named after it",
            f"self.metadata.name.size() <= {kinds.MAX_JOB_NAME}",
        ),
        ("metadata.name has no dots, since labels and pods are named after it", "!self.metadata.name.contains('.')"),
    )
    return crd


def stream_resource_crd() -> Schema:
    """The CustomResourceDefinition of StreamResource."""
    spec, status = _schema_of(StreamResourceSpec), _schema_of(StreamResourceStatus)
    columns = [
        _column("Ready", _ready("status")),
        *_use_columns("", "standalone"),
        _column("Age", ".metadata.creationTimestamp", "date"),
        *_use_columns("Cluster ", "cluster", wide=True),
        _column("OrgId", ".status.orgId", wide=True),
        _column("Libraries", ".status.librarySlots.used", "integer", wide=True),
        _column("Slots", ".status.librarySlots.total", "integer", wide=True),
        _column("Message", _ready("message"), wide=True),
    ]
    return _crd(kinds.STREAM_RESOURCE, kinds.STREAM_RESOURCES, "sr", spec, status, columns)


def _use_columns(prefix: str, use: str, *, wide: bool = False) -> list[Schema]:
    """What is asked for of a capacity, and what has become of it."""
    titles = {"CU": "total", "Used": "used", "Reserved": "reserved", "Queued": "queued", "Free": "free"}
    return [
        _column(f"{prefix}{title}", f".status.{use}.{field}", "number", wide=wide) for title, field in titles.items()
    ]


def _crd(kind: str, plural: str, short: str, spec: Schema, status: Schema, columns: list[Schema]) -> Schema:
    schema = {
        "type": "object",
        "description": spec["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }
    version = {
        "name": kinds.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": kind.lower(),
        "shortNames": [short],
        "categories": [kinds.CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{kinds.GROUP}"},
        "spec": {"group": kinds.GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


class _Plain(yaml.SafeDumper):
    """Writes what is there twice two times: anchors are for programs."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def rendered() -> dict[str, str]:
    """File name to YAML text of every CRD."""
    return {
        f"{crd['spec']['names']['plural']}.yaml": _HEADER + yaml.dump(crd, Dumper=_Plain, sort_keys=False, width=120)
        for crd in (stream_job_crd(), stream_resource_crd())
    }


def main(folders: list[str]) -> None:
    """Write every CRD into each of the folders."""
    for folder in folders:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, text in rendered().items():
            (Path(folder) / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
