"""The state of one shard of device states: when each device was seen last, whether it is online, and its site."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import NEVER, Flags, Places, Slots, Times
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.protocols import BlockStore, Held

DEVICES_BUCKET = 0
DEVICES = pl.Schema(
    {
        "asset": pl.String,
        "model_path": pl.String,
        "seen": pl.Int64,
        "since": pl.Int64,
        "is_online": pl.Boolean,
        "told": pl.Int64,
        "site": pl.String,
        "found": pl.String,
    }
)


@dataclass
class DeviceTable:
    """What is known of each device, by slot.

    Attributes:
        assets, paths: names; the path is that of the last record of the output's model, empty before there is one.
        seen: arrival of the last record.
        since: when it came online or went offline.
        is_online: whether it is online.
        told: the last ``seen`` that Redis was told of.
        sites: the site it belongs to; None: to none.
        found: what its attribute was found to be (``site_names``); None before it was read.
    """

    assets: list[str]
    paths: list[str]
    seen: Times
    since: Times
    is_online: Flags
    told: Times
    sites: list[str | None]
    found: list[str | None]

    @classmethod
    def load(cls, store: BlockStore) -> Self:
        """Read a shard; an empty one at first."""
        block = store.get(DEVICES_BUCKET)
        if block is None:
            block = DEVICES.to_frame()
        return cls(
            block["asset"].to_list(),
            block["model_path"].to_list(),
            block["seen"].to_numpy(writable=True),
            block["since"].to_numpy(writable=True),
            block["is_online"].to_numpy(writable=True),
            block["told"].to_numpy(writable=True),
            block["site"].to_list(),
            block["found"].to_list(),
        )

    def save(self, store: BlockStore) -> None:
        """Write the shard."""
        columns = {
            "asset": self.assets,
            "model_path": self.paths,
            "seen": self.seen,
            "since": self.since,
            "is_online": self.is_online,
            "told": self.told,
            "site": self.sites,
            "found": self.found,
        }
        store.put(DEVICES_BUCKET, pl.DataFrame(columns, schema=DEVICES))

    def place(self, assets: Sequence[str], paths: Mapping[str, str]) -> Slots:
        """Return the slots of devices of which records came, with new ones for what is new; take the paths of some."""
        known = {asset: slot for slot, asset in enumerate(self.assets)}
        slots = [known.setdefault(asset, len(known)) for asset in assets]
        new = list(known)[len(self.assets) :]
        self.assets += new
        self.paths += [""] * len(new)
        self.sites += [None] * len(new)
        self.found += [None] * len(new)
        for asset, path in paths.items():
            self.paths[known[asset]] = path
        self.seen, self.since, self.told = (
            np.pad(times, (0, len(new)), constant_values=NEVER) for times in (self.seen, self.since, self.told)
        )
        self.is_online = np.pad(self.is_online, (0, len(new)))
        return np.asarray(slots, np.int32)

    def keep(self, is_kept: Flags) -> None:
        """Drop all other slots."""
        for name in ("assets", "paths", "sites", "found"):
            setattr(self, name, [value for value, kept in zip(getattr(self, name), is_kept, strict=True) if kept])
        for name in ("seen", "since", "is_online", "told"):
            setattr(self, name, getattr(self, name)[is_kept])

    def held(self, chosen: Chosen) -> Iterator[Held]:
        """Yield the connections of some assets."""
        for slot, asset in enumerate(self.assets):
            if chosen.has(asset):
                fields = {
                    "connection": "online" if self.is_online[slot] else "offline",
                    "sinceTime": int(self.since[slot]),
                    "lastSeenTime": int(self.seen[slot]),
                    "site": self.sites[slot],
                }
                yield Held(asset, "", "device", fields)

    def rows(self, slots: Places) -> pl.DataFrame:
        """Return ``asset, model_path, seen, since, is_online`` of some devices."""
        chosen = slots.tolist()
        columns = {
            "asset": pl.Series([self.assets[slot] for slot in chosen], dtype=pl.String),
            "model_path": pl.Series([self.paths[slot] for slot in chosen], dtype=pl.String),
            "seen": self.seen[slots],
            "since": self.since[slots],
            "is_online": self.is_online[slots],
        }
        return pl.DataFrame(columns)
