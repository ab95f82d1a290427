"""The last words of a driver: in the termination message, where the operator reads them, and in the log."""

import logging
import os
from pathlib import Path

from streamjob_api.job_file import TERMINATION_LOG
from streamjob_api.progress import LastWords

# Overrides the path outside of a pod.
ENVIRONMENT = "STREAMJOB_TERMINATION_LOG"
_log = logging.getLogger(__name__)


def say(words: LastWords) -> None:
    """Write the termination message; outside of a pod only the log has it."""
    text = words.model_dump_json()
    _log.info("driver ends", extra={"lastWords": words.model_dump(mode="json")})
    chosen = os.environ.get(ENVIRONMENT)
    path = Path(chosen or TERMINATION_LOG)
    if chosen or path.exists():
        path.write_text(text)
