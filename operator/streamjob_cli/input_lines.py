"""Lines of a file, of a gzip file or of standard input, in batches: as much as is needed at once, and no more."""

import gzip
import io
import os
import select
import stat
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STDIN = "-"
_BLOCK_BYTES = 2**20
# A batch ends at this size too: lines of many kilobytes are a batch of few.
_MOST_BYTES = 32 * 2**20
# Longer than any message that a broker takes by default (1 MiB), so that it is no line of messages.
_LONGEST_LINE = 16 * 2**20
# What has arrived is calculated when nothing has followed for so long.
_PAUSE_SECONDS = 1.0
_GZIP_MAGIC = b"\x1f\x8b"


class UnreadableInput(Exception):  # noqa: N818 (what it is)
    """The input cannot be opened, or not be read to its end."""


@dataclass
class LineBatch:
    """Lines in their order; blank ones are left out.

    Attributes:
        numbers: of each line in the file, from 1.
    """

    values: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    size: int = 0


@contextmanager
def opened(name: str) -> Iterator["InputLines"]:
    """Open an input.

    Raises:
        UnreadableInput: there is no such file, or it may not be read.
    """
    shown = "<stdin>" if name == STDIN else name
    with _file(name, shown) as file:
        yield InputLines(shown, file)


def _file(name: str, shown: str) -> io.BufferedReader:
    try:
        return open(0, "rb", closefd=False) if name == STDIN else Path(name).open("rb")
    except OSError as error:
        raise UnreadableInput(f"{shown}: cannot be read: {error.strerror}") from error


class InputLines:
    """An open input; ``batches`` may be taken once.

    Attributes:
        size: bytes of the file, None where that is not known.
    """

    def __init__(self, name: str, raw: io.BufferedReader) -> None:
        self.name = name
        self._raw = raw
        self._line = 0
        status = os.fstat(raw.fileno())
        self._may_pause = not stat.S_ISREG(status.st_mode)
        self.size = None if self._may_pause else status.st_size

    def position(self) -> int:
        """How many bytes of the file have been read; for files only."""
        return self._raw.tell()

    def batches(self, most_lines: int) -> Iterator[LineBatch]:
        """Yield batches of at most so many lines; of fewer where the input pauses, or where lines are long.

        Raises:
            UnreadableInput: the rest of the input is damaged, or no text of lines.
        """
        batch = LineBatch()
        for lines in self._lines():
            if lines is None:  # a pause
                batch = yield from _handed_over(batch)
                continue
            for line in lines:
                self._line += 1
                if line and not line.isspace():
                    batch.values.append(line)
                    batch.numbers.append(self._line)
                    batch.size += len(line)
                if len(batch.values) >= most_lines or batch.size >= _MOST_BYTES:
                    batch = yield from _handed_over(batch)
        yield from _handed_over(batch)

    def _lines(self) -> Iterator[Sequence[bytes] | None]:
        """Yield the lines of each block, whole ones; None where the input pauses."""
        rest = b""
        for block in self._blocks():
            if block is None:
                yield None
                continue
            head, newline, tail = block.rpartition(b"\n")
            if newline:
                yield _split(rest + head)
                rest = tail
            else:
                rest += tail
            if len(rest) > _LONGEST_LINE:
                raise UnreadableInput(
                    f"{self.name}: line {self._line + 1} is longer than {_LONGEST_LINE // 2**20} MiB; "
                    "write one message a line"
                )
        if rest:
            yield _split(rest)

    def _blocks(self) -> Iterator[bytes | None]:
        try:
            is_gzip = self._raw.peek(2)[:2] == _GZIP_MAGIC
            file = gzip.GzipFile(fileobj=self._raw) if is_gzip else self._raw
            while block := file.read1(_BLOCK_BYTES):
                yield block
                if self._may_pause and not is_gzip and not _is_ready(self._raw):
                    yield None
        except (OSError, EOFError, zlib.error) as error:
            text = getattr(error, "strerror", None) or str(error)
            raise UnreadableInput(f"{self.name}: cannot be read beyond line {self._line}: {text}") from error


def _is_ready(file: io.BufferedReader) -> bool:
    """Whether more comes soon; nothing may be left in the buffer."""
    ready, _, _ = select.select([file], [], [], _PAUSE_SECONDS)
    return bool(ready)


def _split(lines: bytes) -> list[bytes]:
    """Part lines, whose last has no end, from one another; Windows' line ends too."""
    return lines.replace(b"\r\n", b"\n").removesuffix(b"\r").split(b"\n")


def _handed_over(batch: LineBatch) -> Generator[LineBatch, None, LineBatch]:
    if batch.values:
        yield batch
    return LineBatch()
