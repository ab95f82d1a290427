"""Plots of the benchmarks as SVG: the same bytes for the same figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pyplot() -> Any:
    """Return ``matplotlib.pyplot``, set up to draw without a display."""
    import matplotlib as mpl  # noqa: PLC0415 (half a second)

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "streamjob"
    mpl.rcParams["svg.fonttype"] = "none"  # text stays text
    import matplotlib.pyplot as plt  # noqa: PLC0415

    return plt


def save(figure: Figure, path: Path) -> None:
    """Write a figure, which is used up."""
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot().close(figure)
