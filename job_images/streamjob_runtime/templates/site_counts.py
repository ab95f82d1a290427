"""How many devices of one shard are online and offline at each site."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from streamjob_runtime.templates.device_table import DeviceTable

# Of one shard: what each site has now (``time`` null), and by how much that changed, and when.
SITE_COUNTS: Final = pl.Schema({"site": pl.String, "time": pl.Int64, "online": pl.Int64, "offline": pl.Int64})


# Where a device counts: its site, and whether it is online.
_Standing = tuple[str | None, bool]


@dataclass
class SiteCounts:
    """Follows the devices of a shard through a micro-batch; ask for the table's present state first."""

    before: list[_Standing]
    changes: Counter[tuple[str, int, bool]] = field(default_factory=Counter)

    @classmethod
    def of(cls, devices: DeviceTable) -> "SiteCounts":
        """Begin with what the devices are before anything changes."""
        return cls(_standings(devices))

    def note(self, devices: DeviceTable, slots: Iterable[int], times: Iterable[int]) -> None:
        """Take what became of some devices, each at a time."""
        for slot, time in zip(slots, times, strict=True):
            after = (devices.sites[slot], bool(devices.is_online[slot]))
            before = self.before[slot] if slot < len(self.before) else (None, False)
            for (site, is_online), by in ((before, -1), (after, 1)):
                if before != after and site is not None:
                    self.changes[site, time, is_online] += by

    def frame(self, devices: DeviceTable) -> pl.DataFrame:
        """Return SITE_COUNTS."""
        now = Counter(_standings(devices))
        standing = [
            (site, None, now[site, True], now[site, False]) for site in {site for site, _ in now} if site is not None
        ]
        moments = sorted({(time, site) for site, time, _ in self.changes})
        changes = [
            (site, time, self.changes[site, time, True], self.changes[site, time, False]) for time, site in moments
        ]
        return pl.DataFrame([*sorted(standing), *changes], schema=SITE_COUNTS, orient="row")


def _standings(devices: DeviceTable) -> list[_Standing]:
    return list(zip(devices.sites, devices.is_online.tolist(), strict=True))
