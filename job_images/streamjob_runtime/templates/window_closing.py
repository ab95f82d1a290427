"""Taking all that is open of some assets and inputs out of the state: to close it, or to hold it in another form."""

from dataclasses import replace

import numpy as np

from streamjob_runtime.templates.arrays import Flags, Times
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_marks import Watermarks
from streamjob_runtime.templates.window_panes import Panes, each_once, reached, windows_of
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head, Index, load_rows, save_rows

_FAR = 2**62


def close_windows(store: BlockStore, head: Head, is_closed: Flags, plan: WindowPlan) -> Rows:
    """Take the open windows of some slots out of the state, and return them."""
    marks = Watermarks(head.marks, head.marks, head.closed, plan.latency_ms)
    windows = take_out(store, head.windows, is_closed & ~head.replaces, plan)
    if plan.is_sliding:
        windows = _open_windows(windows, marks, plan)
    records = take_out(store, head.records, is_closed & head.replaces, plan.of_records)
    return Rows.concat([windows, _open_windows(records, marks, plan)])


def convert(store: BlockStore, head: Head, plan: WindowPlan) -> None:
    """Bring what is open into the form in which the plan has it, where another job's results became an input or ceased.

    Records whose windows were merged can no more be told apart, so that nothing replaces them; of records that were
    told apart the ones that counted are merged.
    """
    replaces = plan.replaces_input[head.inputs]
    if np.array_equal(replaces, head.replaces):
        return
    windows = take_out(store, head.windows, replaces & ~head.replaces, plan)
    records = take_out(store, head.records, ~replaces & head.replaces, plan.of_records)
    slide = plan.slides_ms[records.group]
    merged = replace(records, start=records.start // slide * slide).merged()
    # A tumbling window that is over has left on time.
    _put_in(store, head.windows, replace(merged, is_settled=plan.ends(merged) <= head.marks[merged.slot]), plan)
    _put_in(store, head.records, replace(windows, is_settled=np.ones(len(windows.slot), np.bool_)), plan.of_records)
    head.replaces = replaces


def take_out(store: BlockStore, index: Index, is_taken: Flags, plan: WindowPlan) -> Rows:
    """Take the rows of some slots out of the buckets of an index."""
    buckets = np.unique(index.starts) if is_taken.any() else np.empty(0, np.int64)
    opened = load_rows(store, index, buckets.tolist(), has_sums=plan.has_sums)
    rows = Rows.concat([Rows.none(has_sums=plan.has_sums), *opened])
    taken = is_taken[rows.slot]
    _write(store, index, rows.take(~taken), np.unique(plan.buckets(rows.take(taken))), plan)
    return rows.take(taken)


def _put_in(store: BlockStore, index: Index, rows: Rows, plan: WindowPlan) -> None:
    touched = np.unique(plan.buckets(rows))
    opened = load_rows(store, index, np.intersect1d(touched, index.starts).tolist(), has_sums=plan.has_sums)
    _write(store, index, Rows.concat([*opened, rows]), touched, plan)


def _write(store: BlockStore, index: Index, rows: Rows, touched: Times, plan: WindowPlan) -> None:
    """Write some buckets, which hold of these rows what lies in them."""
    rows = rows.take(np.isin(plan.buckets(rows), touched))
    rows = rows.take(np.argsort(plan.buckets(rows), kind="stable"))
    places = plan.buckets(rows)
    save_rows(store, index, touched.tolist(), rows, places)
    index.update(touched, places, plan.sizes_ms[rows.group])


def _open_windows(panes: Rows, marks: Watermarks, plan: WindowPlan) -> Rows:
    """Return the windows of all panes that are not final yet."""
    whole = Panes.whole(panes.take(np.argsort(panes.start, kind="stable")), plan)
    due = each_once(reached(whole, marks.final(whole.rows), np.full(len(panes.slot), _FAR), plan), plan)
    return windows_of(due, whole.rows, whole.take(np.empty(0, np.intp)), plan)
