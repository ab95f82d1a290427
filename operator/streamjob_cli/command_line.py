"""The command line: ``streamjob`` and its subcommands."""

from importlib.metadata import version

import click

EPILOG = "Exit codes: 0 done, 1 interrupted, 2 wrong manifest or arguments, 3 input that cannot be read."


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("streamjob"), message="%(prog)s %(version)s")
def streamjob() -> None:
    """Try out and check the manifests of stream jobs; no cluster is needed."""
