"""Lines in batches: every line once, with its number, from files, gzip and pipes."""

import gzip
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamjob_cli import input_lines
from streamjob_cli.input_lines import InputLines, LineBatch, UnreadableInput, opened


def batches(path: Path, most_lines: int = 100) -> list[LineBatch]:
    with opened(str(path)) as lines:
        return list(lines.batches(most_lines))


def numbered(path: Path, most_lines: int = 100) -> list[tuple[int, bytes]]:
    return [row for batch in batches(path, most_lines) for row in zip(batch.numbers, batch.values, strict=True)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(st.sampled_from([b"", b"  ", b"a", b"bb", b"c" * 70, b"\xff\xfe"]), max_size=30),
    ends=st.booleans(),
    packed=st.booleans(),
    most=st.integers(1, 7),
    block=st.integers(1, 50),
)
def test_every_line_comes_once_with_its_number(
    tmp_path: Path, lines: list[bytes], ends: bool, packed: bool, most: int, block: int
) -> None:
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    file = tmp_path / "in"
    file.write_bytes(gzip.compress(data) if packed else data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_lines, "_BLOCK_BYTES", block)
        found = batches(file, most)
    wanted = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    assert [row for batch in found for row in zip(batch.numbers, batch.values, strict=True)] == wanted
    assert all(len(batch.values) == most for batch in found[:-1])
    assert all(0 < len(batch.values) <= most for batch in found)


def test_windows_line_ends_are_no_part_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\r\n\r\nb\r\n")
    assert numbered(tmp_path / "in") == [(1, b"a"), (3, b"b")]


def test_long_lines_make_small_batches(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"\n".join([b"x" * 2**20] * 70))
    assert [len(batch.values) for batch in batches(tmp_path / "in", 1000)] == [32, 32, 6]


def test_a_line_without_end_is_no_line_of_messages(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\n" + b"[" * (17 * 2**20))
    with pytest.raises(UnreadableInput, match="line 2 is longer than 16 MiB; write one message a line"):
        batches(tmp_path / "in")


def test_what_is_missing_or_no_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"none: cannot be read: No such file or directory"):
        batches(tmp_path / "none")
    with pytest.raises(UnreadableInput, match=r"cannot be read: Is a directory"):
        batches(tmp_path)


def test_a_truncated_gzip_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(3_000_000).hex().encode().replace(b"7", b"\n"))
    (tmp_path / "in.gz").write_bytes(packed[: len(packed) // 2])
    seen: list[int] = []
    with opened(str(tmp_path / "in.gz")) as lines, pytest.raises(UnreadableInput, match=r"beyond line \d+: Compressed"):
        seen.extend(number for batch in lines.batches(1000) for number in batch.numbers)
    assert seen


@pytest.fixture
def pipe() -> Iterator[tuple[InputLines, int]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        yield InputLines("pipe", file), writing


def test_what_has_come_is_handed_over_when_a_pipe_pauses(pipe: tuple[InputLines, int]) -> None:
    lines, writing = pipe
    arrived = threading.Event()

    def write() -> None:
        os.write(writing, b"a\nb\nhalf ")
        arrived.wait(10)  # nothing more is written until the first lines are out
        os.write(writing, b"a line\n")
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    found = lines.batches(1000)
    assert next(found).values == [b"a", b"b"]
    arrived.set()
    assert [(batch.numbers, batch.values) for batch in found] == [([3], [b"half a line"])]
    writer.join()
