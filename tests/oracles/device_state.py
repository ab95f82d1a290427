"""What device states must be, as plain loops over moments: each a clock, and the records that arrive at it.

Source: the contract of records and of Redis, and ``docs/templates/device-state.md``. Nothing here knows of partitions,
shards or columns.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracles.energy import milliseconds

Value = int | float | str | bool
Reading = tuple[str, str, int, Value]  # asset, point, event time, value
Key = tuple[str, str, int]


@dataclass
class Moment:
    """A micro-batch, or a mere look at the clock.

    Attributes:
        sites: what each asset's attribute holds then; one that is left out has none.
    """

    now: int
    readings: Sequence[Reading] = ()
    sites: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Device:
    """What is known of a device."""

    last_seen: int
    since: int
    is_online: bool = True
    told_last_seen: int = 0
    site: str | None = None
    fault: str = ""

    @property
    def connection(self) -> str:
        return "online" if self.is_online else "offline"


@dataclass
class Expected:
    """What must have come of some moments.

    Attributes:
        results: value and ``attr.deviceState`` by asset (or site), output and time.
        latest: time and value by asset and point.
        devices: by asset.
        sites: devices online and offline by site, and since when.
        counts: devices newly found without a site.
    """

    results: dict[Key, tuple[Value, dict[str, int]]] = field(default_factory=dict)
    latest: dict[tuple[str, str], tuple[int, Value]] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    sites: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def site_name(held: Any) -> tuple[str | None, str]:
    """A site's name, or why there is none."""
    if held is None:
        return None, "attributeMissing"
    if isinstance(held, float):
        if not math.isfinite(held):
            return None, "attributeInvalid"
        held = int(held) if held == int(held) else held
    name = str(held).strip() if isinstance(held, (str, int, float)) and not isinstance(held, bool) else ""
    return (name, "") if 1 <= len(name) <= 256 and name.isprintable() else (None, "attributeInvalid")


def expected(moments: Iterable[Moment], job: Mapping[str, Any]) -> Expected:
    """Go through all moments, in order.

    Args:
        moments: with clocks that never go back.
        job: a manifest's ``deviceState``.
    """
    outcome = Expected()
    for moment in moments:
        readings = [reading for reading in moment.readings if reading[1] in job["points"]]
        for asset, point, time, value in readings:
            held = outcome.latest.get((asset, point))
            if held is None or time >= held[0]:
                outcome.latest[asset, point] = (time, value)
        if "offlineAfter" in job:
            _connect(outcome, moment, {reading[0] for reading in readings}, job)
    return outcome


def _connect(outcome: Expected, moment: Moment, arrived: set[str], job: Mapping[str, Any]) -> None:
    silence = milliseconds(job["offlineAfter"])
    before = {asset: (device.site, device.is_online) for asset, device in outcome.devices.items()}
    moved_at: dict[str, int] = {}
    for asset in sorted({*outcome.devices, *arrived}):
        device = outcome.devices.get(asset)
        changed = None
        if asset in arrived:
            moved_at[asset] = moment.now
            if device is None:
                device = outcome.devices[asset] = Device(moment.now, moment.now)
                changed = moment.now
            elif not device.is_online:
                device.is_online, device.since, changed = True, moment.now, moment.now
            device.last_seen = moment.now
            if "siteAttribute" in job:
                device.site, fault = site_name(moment.sites.get(asset))
                outcome.counts.update([fault] if fault and fault != device.fault else [])
                device.fault = fault
        assert device is not None
        if device.is_online and moment.now - device.last_seen >= silence:
            changed = device.last_seen + silence
            device.is_online, device.since, moved_at[asset] = False, changed, changed
        if changed is not None or device.last_seen - device.told_last_seen >= silence // 10:
            device.told_last_seen = device.last_seen
        if changed is not None and "connectionOutput" in job:
            attributes = {"since": device.since, "lastSeen": device.last_seen}
            outcome.results[asset, job["connectionOutput"], changed] = (device.connection, attributes)
    if "siteAttribute" in job:
        _count(outcome, before, moved_at, job)


def _count(
    outcome: Expected,
    before: Mapping[str, tuple[str | None, bool]],
    moved_at: Mapping[str, int],
    job: Mapping[str, Any],
) -> None:
    """Go through the times of the moment at which some device changed."""
    now = dict(before)
    for time in sorted(set(moved_at.values())):
        earlier = _by_site(now)
        for asset in (asset for asset, at in moved_at.items() if at == time):
            device = outcome.devices[asset]
            now[asset] = (device.site, device.is_online)
        later = _by_site(now)
        for site in {*earlier, *later}:
            online, offline = later.get(site, (0, 0))
            if earlier.get(site, (0, 0)) == (online, offline):
                continue
            outcome.sites[site] = (online, offline, time)
            if "siteOutput" in job:
                outcome.results[site, job["siteOutput"], time] = (online, {"online": online, "offline": offline})


def _by_site(devices: Mapping[str, tuple[str | None, bool]]) -> dict[str, tuple[int, int]]:
    counted = Counter(devices.values())
    sites = {site for site, _ in devices.values() if site is not None}
    return {site: (counted[site, True], counted[site, False]) for site in sites}
