"""Blocks: a data frame as bytes, the form in which records cross to the JVM and lie in the state store."""

import io

import polars as pl

# First byte of every block. Raise it when the layout of what follows changes.
FORMAT_VERSION = 1


class IncompatibleBlock(ValueError):  # noqa: N818 (named for what was met)
    """A block that this version cannot read."""


def to_bytes(frame: pl.DataFrame) -> bytes:
    """Write a frame: one byte of format version, then an Arrow IPC stream."""
    buffer = io.BytesIO()
    buffer.write(bytes([FORMAT_VERSION]))
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def from_bytes(data: bytes) -> pl.DataFrame:
    """Read what ``to_bytes`` wrote.

    Raises:
        IncompatibleBlock: the bytes are empty, of another format version, or damaged.
    """
    version = data[0] if data else None
    if version != FORMAT_VERSION:
        raise IncompatibleBlock(f"block of format version {version}; this runtime reads version {FORMAT_VERSION}")
    try:
        return pl.read_ipc_stream(io.BytesIO(memoryview(data)[1:]), use_pyarrow=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise IncompatibleBlock(f"block cannot be read: {error}") from error
