"""The calculators that there are: those of our own package, and those of packages that say so by an entry point."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import ModuleType

from streamjob_api.calculators.foreign import Foreign
from streamjob_api.calculators.parameters import StageParameters

# A package each of whose modules holds one calculator, named as the module; what is not a calculator is in a package
# within it.
BUILT_IN = "streamjob_calculators"
# Packages of others: the entry point's name comes before the calculator's, as in acme/resampler.
ENTRY_POINTS = "streamjob.calculators"


@cache
def catalogue() -> Mapping[str, type[StageParameters]]:
    """Return the calculators by name, older names included."""
    found = dict(_named("", import_module(BUILT_IN)))
    for point in sorted(entry_points(group=ENTRY_POINTS)):
        found |= dict(_named(f"{point.name}/", point.load()))
    return found


def calculator_of(name: str) -> type[StageParameters] | None:
    """Return the calculator of a name; Foreign where its package is not installed here, None where there is none."""
    package, slash, _ = name.partition("/")
    is_foreign = slash and package not in _packages()
    return Foreign if is_foreign else catalogue().get(name)


@cache
def canonical_name(calculator: type[StageParameters]) -> str:
    """Return the newest name of a calculator that the catalogue holds."""
    return next(name for name, each in catalogue().items() if each is calculator)


@cache
def _packages() -> frozenset[str]:
    """Return the names of others' packages that are installed here."""
    return frozenset(entry_points(group=ENTRY_POINTS).names)


def _named(prefix: str, package: ModuleType) -> Iterator[tuple[str, type[StageParameters]]]:
    for info in iter_modules(package.__path__):
        if info.ispkg:
            continue
        calculator = _calculator(import_module(f"{package.__name__}.{info.name}"))
        for name in (info.name.replace("_", "-"), *calculator.ALIASES):
            yield f"{prefix}{name}", calculator


def _calculator(module: ModuleType) -> type[StageParameters]:
    """Return the calculator of a module.

    Raises:
        TypeError: there is none, or more than one.
    """
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, StageParameters) and each.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} holds {len(found)} calculators; a module of this package holds one")
    return found[0]
