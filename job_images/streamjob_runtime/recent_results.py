"""The last results of each output, for a look at ``/results``."""

import json
import threading
from collections import deque
from typing import Any

import polars as pl

KEPT = 100


class RecentResults:
    """The last 100 records of each output point."""

    def __init__(self) -> None:
        self._by_point: dict[str, deque[str]] = {}
        self._lock = threading.Lock()

    def add(self, encoded: pl.DataFrame) -> None:
        """Keep the last of ``records.encode``'s rows."""
        tails = encoded.group_by("point", maintain_order=True).tail(KEPT)
        with self._lock:
            for point, record in tails.select("point", "record").iter_rows():
                self._by_point.setdefault(point, deque(maxlen=KEPT)).append(record)

    def as_json(self) -> dict[str, list[Any]]:
        """Records by output point, oldest first."""
        with self._lock:
            return {point: [json.loads(record) for record in held] for point, held in self._by_point.items()}
