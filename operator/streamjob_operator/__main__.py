"""``python -m streamjob_operator``: run the operator."""

import asyncio
import sys

from streamjob_operator import handlers, logs
from streamjob_operator.command_line import settings_from


def main() -> None:
    """Read the settings, then watch until told to stop."""
    settings = settings_from(sys.argv[1:])
    logs.configure(settings.log_level)
    asyncio.run(handlers.run(settings))


if __name__ == "__main__":
    main()
