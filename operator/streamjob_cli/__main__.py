"""``python -m streamjob_cli``, installed as ``streamjob``."""

import errno
import io
import os
import sys

from streamjob_cli.command_line import streamjob

# A full or broken disk. A reader that went away (EPIPE) is click's.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def main() -> None:
    """Run the command; what a terminal cannot show ends no output, and output that cannot go out is told."""
    if sys.stdout is None:
        sys.exit("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            streamjob(prog_name="streamjob")
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        # What is still held would fail again, and be told by Python in its own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"standard output cannot be written: {error.strerror}")


if __name__ == "__main__":
    main()
