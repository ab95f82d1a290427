"""Reads the ConfigMaps with thing models. They are not watched: that would bring in every ConfigMap of the cluster.

A look asks for the version alone; the content is read, and parsed, only when it is another one.
"""

import asyncio
import time
from dataclasses import dataclass, field

from streamjob_api.faults import InvalidSpec
from streamjob_operator import reasons
from streamjob_operator.api_server.cluster import ApiError, Cluster
from streamjob_operator.backoff import fraction
from streamjob_operator.jobs.patience import PATIENCE
from streamjob_operator.validation import FoundModels, Refusal, found_models, in_force, missing_models
from streamjob_operator.world import World

_FORBIDDEN = 403
# While somebody waits for a correction, looks are this many times as frequent: every 5 s in place of 45.
_HASTE = 9
RESTS_ON_MODELS = {reasons.UNKNOWN_NAME, reasons.TYPE_MISMATCH, reasons.MODELS_MISSING, reasons.MODELS_INVALID}


def rests_on_models(verdict: object) -> bool:
    """Whether other thing models might change the verdict."""
    return isinstance(verdict, Refusal) and any(fault.reason in RESTS_ON_MODELS for fault in verdict.faults)


@dataclass
class ModelsReader:
    """What was read last, by namespace."""

    cluster: Cluster
    world: World
    interval_seconds: float
    _versions: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    _troubled: dict[str, float] = field(default_factory=dict)  # since when somebody waits
    _looks: int = 0

    def is_read(self, namespace: str) -> bool:
        """Whether the ConfigMap that the OU names was read, if it names one."""
        name, found = self._named(namespace), self.world.verdicts.models(namespace)
        return name is None or (found is not None and found.config_map == name)

    async def look(self, namespace: str) -> bool:
        """Look at the OU's ConfigMap; whether there is anything new."""
        name, known = self._named(namespace), self.world.verdicts.models(namespace)
        if name is None:
            self._versions.pop(namespace, None)
            self.world.verdicts.put_models(namespace, None)
            return known is not None
        found = await self._found(namespace, name)
        if found is None or (known and found.fault and found.fault == known.fault):
            return False
        self.world.verdicts.put_models(namespace, found)
        self._troubled.pop(namespace, None)
        return True

    def next_look(self, namespace: str) -> float | None:
        """Seconds until the next look: sooner while somebody waits for a correction, though not for ever."""
        if self._named(namespace) is None:
            return None
        self._looks += 1
        interval = self.interval_seconds
        if self._is_troubled(namespace):
            since = self._troubled.setdefault(namespace, time.monotonic())
            if time.monotonic() - since < PATIENCE.total_seconds():
                interval /= _HASTE
        else:
            self._troubled.pop(namespace, None)
        return interval * (2 + 2 * fraction(f"{namespace}/{self._looks}")) / 3

    async def _found(self, namespace: str, name: str) -> FoundModels | None:
        """What the ConfigMap holds; None when it is as it was."""
        try:
            version = await self.cluster.version("ConfigMap", namespace, name)
            if self._versions.get(namespace) == (name, version):
                return None
            body = await self.cluster.read("ConfigMap", namespace, name) if version else None
        except ApiError as refused:
            if refused.status != _FORBIDDEN:
                raise
            self._versions.pop(namespace, None)
            return missing_models(name, f"may not be read by the operator ({refused})")
        self._versions[namespace] = (name, body["metadata"]["resourceVersion"] if body else None)
        if body is None:
            return missing_models(name)
        # In a thread: 1 MiB of YAML takes seconds, in which the other jobs go on.
        return await asyncio.to_thread(found_models, name, body.get("data") or {})

    def _named(self, namespace: str) -> str | None:
        resource = in_force(self.world.resources(namespace))
        if resource is None or isinstance(resource.spec, InvalidSpec) or resource.spec.models is None:
            return None
        return resource.spec.models.config_map

    def _is_troubled(self, namespace: str) -> bool:
        found = self.world.verdicts.models(namespace)
        if found is None or found.fault:
            return True
        return any(rests_on_models(self.world.verdict(job)) for job in self.world.jobs(namespace))
