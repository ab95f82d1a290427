"""Runs the tests of one list against each of its mutants; a process of its own, so that nothing mutated stays behind.

Modules are loaded anew for each mutant, libraries only once: a mutant costs what its tests take, not what Polars does.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from mutants.table import ROOT, Mutant, mutants

# pytest names the modules of tests by their path below the root.
_OWN = ("streamjob_runtime", "streamjob_cli", "tests.unit", "unit", "oracles", "fixtures.exactness")

_ENOUGH_WITHOUT_MUTANT = "20"


def main(file: Path) -> None:
    """Print one JSON object: what became of the tests for each mutant, and of all of them without a mutant."""
    every = list(mutants(file))
    verdicts = {mutant.what: _verdict(mutant) for mutant in every}
    os.environ["STREAMJOB_EXAMPLES"] = _ENOUGH_WITHOUT_MUTANT  # whether they pass is what make test shows
    with_none = _run(sorted({test for mutant in every for test in mutant.killed_by}))
    print(json.dumps({"": with_none} | verdicts))


def _verdict(mutant: Mutant) -> str:
    with _mutated(mutant):
        return _run(mutant.killed_by)


def _run(tests: Sequence[str]) -> str:
    """Return pytest's verdict, in one word."""
    for name in [name for name in sys.modules if name.startswith(_OWN)]:
        del sys.modules[name]
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = pytest.main([*_OPTIONS, *(str(ROOT / test) for test in tests)])
    match code:
        case pytest.ExitCode.OK:
            return "survived"
        case pytest.ExitCode.TESTS_FAILED:
            return "killed"
        case _:
            return said.getvalue()[-2000:]


_OPTIONS = ("-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore", f"--rootdir={ROOT}", "-p", "no:timeout")


@contextmanager
def _mutated(mutant: Mutant) -> Iterator[None]:
    finder = _Finder(mutant)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the module of one mutant, and no other."""

    def __init__(self, mutant: Mutant) -> None:
        self._loader = _MutatedLoader(mutant)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for the mutated module alone."""
        return importlib.util.spec_from_loader(fullname, self._loader) if fullname == self._loader.name else None


class _MutatedLoader(importlib.machinery.SourceFileLoader):
    """Gives the module of one mutant its mutated text, under a file name that no cache of byte code knows."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, f"<{mutant.module}: {mutant.what}>")
        self._text = mutant.source()

    def get_data(self, path: str) -> bytes:  # noqa: ARG002
        """Return the mutated text."""
        return self._text.encode()


if __name__ == "__main__":
    # A mutant need not be shrunk to the smallest input that shows it, and the same examples are tried each time.
    hypothesis.settings.register_profile(
        "mutants", database=None, derandomize=True, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate]
    )
    hypothesis.settings.load_profile("mutants")
    main(Path(sys.argv[1]))
