"""Looking at what a shard holds of some assets and inputs, and forgetting it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from streamjob_runtime.templates import sums
from streamjob_runtime.templates.arrays import Flags, Slots
from streamjob_runtime.templates.protocols import BlockStore, Held
from streamjob_runtime.templates.window_closing import take_out
from streamjob_runtime.templates.window_plan import Group, WindowPlan
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head, load_rows


def forget(store: BlockStore, head: Head, is_forgotten: Flags, plan: WindowPlan) -> None:
    """Drop some slots with all that is open of them; what is behind them moves up."""
    places = np.cumsum(~is_forgotten).astype(np.int32) - np.int32(1)
    for index, own in ((head.windows, plan), (head.records, plan.of_records)):
        take_out(store, index, is_forgotten, own)
        for key in np.unique(index.keys).tolist():
            _renumber(store, key, places)
    head.keep(~is_forgotten)
    head.save(store)


def _renumber(store: BlockStore, key: int, places: Slots) -> None:
    block = store.get(key)
    if block is not None:
        store.put(key, block.with_columns(pl.Series("slot", places[block["slot"].to_numpy()])))


def held(store: BlockStore, head: Head, is_chosen: Flags, plan: WindowPlan) -> Iterator[Held]:
    """Yield watermarks and what is open: windows, panes of windows that slide, or records that may be replaced."""
    for slot in np.flatnonzero(is_chosen).tolist():
        yield Held(head.assets[slot], str(plan.inputs[head.inputs[slot]]), "watermark", {"time": int(head.marks[slot])})
    for index, is_record in ((head.windows, False), (head.records, True)):
        for rows in load_rows(store, index, np.unique(index.starts).tolist(), has_sums=plan.has_sums):
            yield from _rows(head, rows.take(is_chosen[rows.slot]), plan, is_record=is_record)


def _rows(head: Head, rows: Rows, plan: WindowPlan, *, is_record: bool) -> Iterator[Held]:
    totals = sums.total(rows.parts) if plan.has_sums else None
    for row, slot in enumerate(rows.slot.tolist()):
        group = plan.groups[rows.group[row]]
        fields: dict[str, Any] = {"time": int(rows.start[row])}
        if not is_record:
            fields["endTime"] = fields["time"] + group.slide_ms
        fields |= {"windowSizeSeconds": group.size_ms / 1000, "outputs": _outputs(plan, group)}
        fields |= {"count": int(rows.count[row])}
        if rows.count[row]:
            fields |= {"min": float(rows.low[row]), "max": float(rows.high[row])}
            fields |= {} if totals is None else {"sum": float(totals[row])}
        kind = "record" if is_record else "pane" if group.overlap > 1 else "window"
        yield Held(head.assets[slot], str(group.threshold.input), kind, fields)


def _outputs(plan: WindowPlan, group: Group) -> list[str]:
    rows = plan.outputs.filter(pl.col("group") == plan.groups.index(group))
    return [f"{model}::{point}" for model, point in rows.select("model", "point").iter_rows()]
