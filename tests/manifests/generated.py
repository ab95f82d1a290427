"""Values of the table that nobody would write out: long texts, long lists, deep nests, numbers of many digits."""

from collections.abc import Callable
from typing import Any

import yaml


class TableLoader(yaml.SafeLoader):
    """YAML with tags for values that are made up."""


def repeated(text: str, times: int, before: str = "", after: str = "") -> str:
    """``!repeated [text, times, before, after]``."""
    return before + text * times + after


def items(item: Any, count: int) -> list[Any]:
    """``!items [item, count]``: the item so many times, with its number, from 1, in place of ``{n}``."""
    return [numbered(item, number) for number in range(1, count + 1)]


def members(name: str, count: int) -> dict[str, str]:
    """``!members [name, count]``: a mapping of so many names, with their numbers in place of ``{n}``."""
    return dict.fromkeys(items(name, count), "v")


def nested(depth: int) -> list[Any]:
    """``!nested [depth]``: a list in a list in a list."""
    nest: list[Any] = []
    for _ in range(depth):
        nest = [nest]
    return nest


def digits(count: int) -> int:
    """``!digits [count]``: a whole number of so many digits."""
    return int("1" + "0" * (count - 1))


def surrogate() -> str:
    r"""``!surrogate []``: half of a character, as JSON may write it: ``\ud800``."""
    return chr(0xD800)


def numbered(item: Any, number: int) -> Any:
    """The item, with its number in place of ``{n}``."""
    if isinstance(item, str):
        return item.replace("{n}", str(number))
    if isinstance(item, dict):
        return {key: numbered(value, number) for key, value in item.items()}
    return [numbered(value, number) for value in item] if isinstance(item, list) else item


def _constructor(make: Callable[..., Any]) -> Callable[[TableLoader, yaml.Node], Any]:
    def construct(loader: TableLoader, node: yaml.Node) -> Any:
        return make(*loader.construct_sequence(node, deep=True))  # type: ignore[arg-type]

    return construct


for _make in (repeated, items, members, nested, digits, surrogate):
    TableLoader.add_constructor(f"!{_make.__name__}", _constructor(_make))
