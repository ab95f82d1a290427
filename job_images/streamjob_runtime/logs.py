"""The driver's log: JSON lines on stderr."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


def log_as_json(level: int = logging.INFO) -> None:
    """Send every logger's lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=_FIELDS, datefmt="%Y-%m-%dT%H:%M:%S%z"
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("py4j").setLevel(logging.WARNING)
