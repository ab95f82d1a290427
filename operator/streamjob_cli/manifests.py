"""Manifests from files, folders and standard input: documents that know where each of their fields stands."""

import errno
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamjob_cli.yaml_documents import DUPLICATE_KEY, Lines, YamlFault, documents

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")
# Far above what an API server would store (1.5 MiB an object), room for all that a chart renders.
MAX_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where; ``line`` counts from 1, None where the file as a whole is meant."""

    file: str
    line: int | None
    text: str
    is_unreadable: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {self.text}" if self.line is None else f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Manifest:
    """One object of a file.

    Attributes:
        file: as the user named it.
        content: what stands there, unchecked.
        lines: where it stands.
    """

    file: str
    content: dict[str, Any]
    lines: Lines

    @property
    def kind(self) -> str:
        """The kind, empty where there is none."""
        return _text(self.content.get("kind"))

    @property
    def name(self) -> str:
        """``metadata.name``, empty where there is none."""
        return _text(self._metadata.get("name"))

    @property
    def namespace(self) -> str:
        """``metadata.namespace``, empty where there is none."""
        return _text(self._metadata.get("namespace"))

    @property
    def _metadata(self) -> dict[str, Any]:
        metadata = self.content.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    def fault(self, text: str) -> Fault:
        """A fault of this object; where ``text`` begins with a path (``spec.policies[0].input: ...``), at its line."""
        return Fault(self.file, self.lines.of(text.partition(": ")[0]), text)


def read(names: Sequence[str]) -> tuple[list[Manifest], list[Fault]]:
    """Read files, folders (all manifests below them) and ``-``, each once, and say of each what cannot be read."""
    manifests: list[Manifest] = []
    faults: list[Fault] = []
    taken: set[str] = set()
    for name in names:
        for file in _files(name, faults):
            path = os.path.realpath(file)  # Path.resolve() ends on a link to itself
            if path in taken:
                continue
            taken.add(path)
            for found in _of_file(file):
                (faults if isinstance(found, Fault) else manifests).append(found)  # type: ignore[arg-type]
    return manifests, faults


def _files(name: str, faults: list[Fault]) -> Iterator[str]:
    folder = Path(name)
    if name == STDIN or not folder.is_dir():
        yield name
        return
    told = len(faults)
    below = sorted(_below(folder, faults))
    if not below and len(faults) == told:
        faults.append(Fault(name, None, f"no manifests in this folder; they are named *{', *'.join(SUFFIXES)}"))
    yield from map(str, below)


def _below(folder: Path, faults: list[Fault]) -> Iterator[Path]:
    """The manifests of a folder that are not hidden; what it may not look into is a fault."""
    for place, folders, files in os.walk(folder, onerror=lambda error: faults.append(_unreadable(error))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(place, name) for name in files if not name.startswith("."))
        yield from (path for path in paths if path.suffix in SUFFIXES)


def _unreadable(error: OSError, shown: str | None = None) -> Fault:
    return Fault(shown or str(error.filename), None, f"cannot be read: {error.strerror}", is_unreadable=True)


def _of_file(name: str) -> Iterator[Manifest | Fault]:
    shown = "<stdin>" if name == STDIN else name
    try:
        data = _bytes(name)
    except OSError as error:
        yield _unreadable(error, shown)
        return
    if len(data) > MAX_BYTES:
        yield Fault(shown, None, f"larger than {MAX_BYTES // 2**20} MiB; that is no manifest")
        return
    try:
        for content, lines in _json(data) if name.endswith(".json") else documents(data):
            yield from _objects(shown, content, lines)
    except YamlFault as fault:
        yield Fault(shown, fault.line, fault.text)


def _bytes(name: str) -> bytes:
    if name == STDIN:
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        size = os.fstat(file.fileno()).st_size or MAX_BYTES  # a pipe tells no size
        # Room for what is there, not for the most that may be: of a thousand files it was half a second.
        return file.read(min(size, MAX_BYTES) + 1)


def _objects(file: str, content: Any, lines: Lines) -> Iterator[Manifest | Fault]:
    """The object of a document, or those of a List or StreamJobList."""
    if content is None:
        return
    if not isinstance(content, dict):
        yield Fault(file, lines.first, f"expected an object with apiVersion and kind, got {_kind(content)}")
        return
    items = content.get("items")
    if _text(content.get("kind")).endswith("List") and isinstance(items, list):
        for number, item in enumerate(items):
            yield from _objects(file, item, lines.below("items", number))
        return
    yield Manifest(file, content, lines)


def _json(data: bytes) -> Iterator[tuple[Any, Lines]]:
    try:
        yield json.loads(data, object_pairs_hook=_without_repetition), Lines(None)
    except json.JSONDecodeError as error:
        raise YamlFault(f"no JSON: {error.msg}", error.lineno) from error
    except UnicodeDecodeError as error:
        raise YamlFault("no text in UTF-8", None) from error
    except RecursionError as error:
        raise YamlFault("nested too deeply", None) from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise YamlFault(DUPLICATE_KEY.format(next(name for name in names if names.count(name) > 1)), None)
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else repr(value)
