"""Looking at what a shard holds of some assets and inputs of an energy job, and forgetting it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from streamjob_runtime.templates.arrays import NEVER, Flags
from streamjob_runtime.templates.chains import Records
from streamjob_runtime.templates.days import Days
from streamjob_runtime.templates.energy_plan import EnergyPlan
from streamjob_runtime.templates.energy_state import SERIES, EnergyState, load_waiting, save_waiting
from streamjob_runtime.templates.energy_sums import details_of
from streamjob_runtime.templates.protocols import BlockStore, Held


def forget(store: BlockStore, state: EnergyState, is_forgotten: Flags) -> None:
    """Drop some slots with the records that wait; what is behind them moves up."""
    places = np.cumsum(~is_forgotten).astype(np.int32) - np.int32(1)
    waiting = load_waiting(store)
    kept = waiting.take(~is_forgotten[waiting.slot])
    save_waiting(store, Records(places[kept.slot], kept.time, kept.value), len(waiting.slot))
    state.keep(~is_forgotten)
    if state.assets:
        state.save(store, is_watched=state.was_watched)
    else:
        store.remove(SERIES)


def held(store: BlockStore, state: EnergyState, is_chosen: Flags, plan: EnergyPlan, days: Days) -> Iterator[Held]:
    """Yield watermarks, references with the day and the detail so far, and records that wait."""
    for slot in np.flatnonzero(is_chosen).tolist():
        point = plan.inputs[state.inputs[slot]]
        yield Held(state.assets[slot], str(point), "watermark", {"time": int(state.reached.highest[slot])})
        for policy in plan.policies:
            if policy.input == point and state.since[policy.rank, slot] != NEVER:
                since = state.since[policy.rank, slot : slot + 1]
                fields: dict[str, Any] = {"time": int(since[0]), "value": float(state.value[policy.rank, slot])}
                fields |= {"output": str(policy.daily), "dayTime": int(days.starts(since)[0])}
                fields |= {"dayEnergy": float(state.day[policy.rank, slot])}
                if policy.detailed is not None and policy.interval_ms is not None:
                    detail = int(details_of(days, policy.interval_ms)(since)[0])
                    fields |= {"detailTime": detail, "detailEnergy": float(state.detail[policy.rank, slot])}
                yield Held(state.assets[slot], str(point), "reference", fields)
    waiting = load_waiting(store)
    for slot, time, value in zip(waiting.slot.tolist(), waiting.time.tolist(), waiting.value.tolist(), strict=True):
        if is_chosen[slot]:
            point = plan.inputs[state.inputs[slot]]
            yield Held(state.assets[slot], str(point), "waiting", {"time": time, "value": value})
