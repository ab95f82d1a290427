"""Memory over time for people: a table, the same as Markdown, a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.driven.samples import Sample, courses
from benchmarks.svg_plots import pyplot, save

_HEAD = ("MiB", "median", "highest", "growth an hour")


def figures(samples: Sequence[Sample]) -> dict[str, Any]:
    """For the JSON of the benchmark; CPU of the last three quarters of the time."""
    first, last = samples[len(samples) // 4], samples[-1]
    messages = max(1, last.messages - first.messages)
    return {
        "samples": len(samples),
        "cores": round((last.cpu_seconds - first.cpu_seconds) / (last.seconds - first.seconds), 3),
        "cpu_seconds_per_million": round((last.cpu_seconds - first.cpu_seconds) / messages * 1e6, 1),
        "most_lag": max(sample.lag for sample in samples),
        "sizes": {name: asdict(each) for name, each in courses(samples).items()},
    }


def _rows(samples: Sequence[Sample]) -> list[list[str]]:
    return [
        [name.removesuffix("_mib").replace("_", " "), f"{each.median:,}", f"{each.highest:,}", f"{each.per_hour:+,}"]
        for name, each in courses(samples).items()
    ]


def table(samples: Sequence[Sample]) -> Table:
    """For a terminal."""
    made = Table(*_HEAD)
    for row in _rows(samples):
        made.add_row(*row)
    return made


def markdown(samples: Sequence[Sample]) -> str:
    """For the docs."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(_HEAD), ["---"] * len(_HEAD), *_rows(samples)])


def draw(samples: Sequence[Sample], limit_mib: float, path: Path) -> None:
    """Write an SVG: memory below its limit, and the checkpoint, over time; the same bytes again."""
    minutes = [sample.seconds / 60 for sample in samples]
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(10, 3.2))
    roles = [role for role in ("jvm", "driver", "helpers") if any(role in sample.by_role for sample in samples)]
    layers = [[sample.by_role.get(role, (0, 0.0))[1] for sample in samples] for role in roles]
    names = {"jvm": "JVM with RocksDB", "driver": "main process", "helpers": "planner and workers"}
    left.stackplot(
        minutes, layers, labels=[names[role] for role in roles], colors=["#0b6e4f", "#6bbf59", "#c8e6c9"][: len(roles)]
    )
    left.axhline(limit_mib, color="#b23a48", linewidth=0.8, linestyle="--", label="limit")
    right.plot(minutes, [sample.checkpoint_mib for sample in samples], color="#0b6e4f")
    for axes, title in ((left, "memory, MiB (proportional set size)"), (right, "checkpoint, MiB")):
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("minutes at the steady rate", fontsize=9)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4)
    save(figure, path)
