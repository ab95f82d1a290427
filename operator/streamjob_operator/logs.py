"""JSON log lines on stderr, each with the namespace, job and attempt of its turn. No specs, records or secrets."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from streamjob_operator import log_context

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
    handler.addFilter(log_context.OfTurn())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
