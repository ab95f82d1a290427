"""JSON log lines on stderr. Specs, records and secrets never go in."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_QUIET = ("kopf", "aiohttp", "asyncio", "kubernetes")


def configure(level: str) -> None:
    """Send every logger's lines to stderr, one JSON object each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
