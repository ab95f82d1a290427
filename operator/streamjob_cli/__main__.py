"""``python -m streamjob_cli``, installed as ``streamjob``."""

import io
import sys

from streamjob_cli.command_line import streamjob


def main() -> None:
    """Run the command; what a terminal cannot show ends no output."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    streamjob(prog_name="streamjob")


if __name__ == "__main__":
    main()
