"""Asking the source, which plans in another process, to offer no further micro-batch."""

from pathlib import Path

_FILE = "stop"


def ask_to_stop(scratch_dir: str) -> None:
    """From now on nothing new is read."""
    Path(scratch_dir).mkdir(parents=True, exist_ok=True)
    (Path(scratch_dir) / _FILE).touch()


def forget_stop(scratch_dir: str) -> None:
    """Clear what an earlier driver on the same scratch folder was asked."""
    (Path(scratch_dir) / _FILE).unlink(missing_ok=True)


def is_stop_asked(scratch_dir: str) -> bool:
    """Whether no further micro-batch is wanted."""
    return (Path(scratch_dir) / _FILE).exists()
