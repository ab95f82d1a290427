"""Assets that lookups find: all alike, in memory and in Redis."""

from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.driven.streams import Stream
from fixtures.redis import RedisServer
from streamjob_runtime.assets import asset_key
from streamjob_runtime.templates.surroundings import Asset

_ASSET = Asset("Meter", "Hall 3", "Europe/Berlin", {"region": "north"}, {"grid": "f1"}, {"grid": ("s1", "s2")})
_ASSETS_AT_ONCE = 1000


class AlikeAssets:
    """Every asset is known."""

    def read(self, assets: Sequence[str]) -> list[Asset | None]:
        """Return the same for each."""
        return [_ASSET] * len(assets)


def fill(redis: RedisServer, org_id: str, stream: Stream) -> None:
    """Make all assets of a stream known."""
    told = {"modelId": _ASSET.model or "", "name": _ASSET.name or "", "timezone": _ASSET.timezone or ""}
    told |= {name: json.dumps(dict(getattr(_ASSET, name))) for name in ("tags", "parents", "children")}
    client = redis.client()
    for part in stream.assets().to_frame("asset").iter_slices(_ASSETS_AT_ONCE):
        with client.pipeline(transaction=False) as pipeline:
            for asset in part["asset"]:
                for name, value in told.items():
                    pipeline.hset(asset_key(org_id, asset), name, value)
            pipeline.execute()
