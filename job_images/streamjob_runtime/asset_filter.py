"""The assets that a job works on, chosen in a column."""

from collections.abc import Iterator, Sequence

import polars as pl

from streamjob_api.assets import AssetFilter, AssetPattern

# Characters of patterns in one expression. Measured: 8,192 question marks still compile, 16,384 are too many for the
# engine; one expression of 200 patterns takes 80 ns an asset, 200 expressions 1,500.
_TOGETHER = 4_096


def passing(numbers: pl.DataFrame, assets: AssetFilter) -> pl.DataFrame:
    """The rows whose ``asset`` passes, in their order."""
    if assets.is_open:
        return numbers
    included = _is_one_of(assets.include) if assets.include else pl.lit(value=True)
    excluded = _is_one_of(assets.exclude) if assets.exclude else pl.lit(value=False)
    return numbers.filter(included & ~excluded)


def _is_one_of(patterns: Sequence[AssetPattern]) -> pl.Expr:
    groups = ("|".join(pattern.regex for pattern in group) for group in _groups(patterns))
    return pl.any_horizontal([pl.col("asset").str.contains(f"(?s)^(?:{group})$") for group in groups])


def _groups(patterns: Sequence[AssetPattern]) -> Iterator[list[AssetPattern]]:
    group: list[AssetPattern] = []
    for pattern in patterns:
        if group and sum(len(other.text) for other in group) + len(pattern.text) > _TOGETHER:
            yield group
            group = []
        group.append(pattern)
    yield group
