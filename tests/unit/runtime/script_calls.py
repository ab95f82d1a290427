"""Calls of a script's process."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl

from streamjob_runtime.scripts.given import COLUMNS, LINES
from streamjob_runtime.scripts.process import ScriptProcess


def given_back(process: ScriptProcess, records: pl.DataFrame) -> str | None:
    """Ask for records by columns; return the cause for which the call failed."""
    written = BytesIO()
    records.write_ipc_stream(written)
    return process.ask({"assets": records["asset"].to_list()}, {"records": written.getvalue()}).fault


def as_call(columns: Mapping[str, Sequence[float]]) -> tuple[dict[str, Any], dict[str, memoryview]]:
    """Return head and parts of an answer of some columns, each of one record."""
    whole = {"quality": [0], **columns}
    numbers = {name: np.array(whole.get(name, []), np.dtype(kind.lower())).tobytes() for name, kind in COLUMNS.items()}
    return {"causes": []}, {name: memoryview(part) for name, part in (numbers | dict.fromkeys(LINES, b"")).items()}
