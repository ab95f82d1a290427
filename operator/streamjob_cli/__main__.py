"""``python -m streamjob_cli``, installed as ``streamjob``."""

from streamjob_cli.command_line import streamjob


def main() -> None:
    """Run the command."""
    streamjob(prog_name="streamjob")


if __name__ == "__main__":
    main()
