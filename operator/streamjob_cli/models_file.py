"""The OU's thing models from a file: ``models.yaml`` itself, or the ConfigMap that holds it."""

from pathlib import Path

from streamjob_api.thing_models import InvalidThingModels, ThingModels
from streamjob_cli.manifests import Fault, Manifest, read
from streamjob_operator.validation.models import MODELS_KEY


def models_text(file: str) -> tuple[str | None, list[Fault]]:
    """The text of the models, None where it is not right, and all that is wrong."""
    manifests, faults = read([file])
    if faults:
        return None, faults
    config_maps = [manifest for manifest in manifests if manifest.kind == "ConfigMap"]
    text = _of(config_maps) if config_maps else Path(file).read_text(encoding="utf-8-sig")
    if text is None:
        return None, [Fault(file, None, f"no ConfigMap with the key {MODELS_KEY} is here")]
    try:
        ThingModels.parse(text)
    except InvalidThingModels as error:
        return None, [Fault(file, None, fault) for fault in error.faults]
    return text, []


def _of(config_maps: list[Manifest]) -> str | None:
    data = [manifest.content.get("data") for manifest in config_maps]
    texts = [each[MODELS_KEY] for each in data if isinstance(each, dict) and isinstance(each.get(MODELS_KEY), str)]
    return texts[0] if texts else None
