"""Who came online or went offline.

A device is online from the arrival of a record on, and offline from the moment at which its last one arrived
``offlineAfter`` ago. Arrival is the clock of the micro-batch that brings a record. A micro-batch first takes its
records, and then looks who has been silent: a record that waited while nobody looked keeps its device online.
"""

from dataclasses import dataclass

import numpy as np

from streamjob_runtime.templates.arrays import Places, Slots
from streamjob_runtime.templates.device_table import DeviceTable

# Of a device that goes on sending, Redis is told the arrival of its last record this often within ``offlineAfter``.
TOLD_WITHIN = 10


@dataclass(frozen=True)
class Changes:
    """What a micro-batch or a tick did.

    Attributes:
        silent: devices that went offline, by the time of it.
        back: devices that came online.
        told: devices of which Redis is to be told, those above among them.
        deadline: when the next one goes offline; None: none is online.
    """

    silent: Places
    back: Places
    told: Places
    deadline: int | None


def connect(devices: DeviceTable, arrived: Slots, now_ms: int, offline_after_ms: int) -> Changes:
    """Bring a shard's connections up to date.

    Args:
        devices: of the shard; changed in place.
        arrived: slots of those of which records came.
        now_ms: the clock.
        offline_after_ms: silence after which a device is offline.
    """
    back = arrived[~devices.is_online[arrived]].astype(np.intp)
    devices.seen[arrived] = now_ms
    devices.is_online[back], devices.since[back] = True, now_ms
    silent_since = devices.seen + offline_after_ms
    silent = np.flatnonzero(devices.is_online & (silent_since <= now_ms))
    silent = silent[np.argsort(silent_since[silent], kind="stable")]
    devices.is_online[silent], devices.since[silent] = False, silent_since[silent]
    is_told = devices.seen - devices.told >= offline_after_ms // TOLD_WITHIN
    is_told[back] = is_told[silent] = True
    told = np.flatnonzero(is_told)
    devices.told[told] = devices.seen[told]
    online = silent_since[devices.is_online]
    return Changes(silent, back, told, int(online.min()) if len(online) else None)
