"""Reading messages by their shapes: columns in, columns out, no Python object a message."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from streamjob_runtime.message_shapes import Shape, Unshapely, bare, learn, pair

# Longer messages are read one by one: what a failed match costs grows with the length.
MAX_BYTES = 16_384
# Fewer messages than this are read one by one: learning a shape costs as much as reading some hundred of them.
MIN_MESSAGES = 64
# Shapes tried: with the very points of a sample, or with any points where that matched few messages.
SHAPES = 8
_FEW_MATCHED = 0.7

NUMBERS = pl.Schema(
    {
        "message": pl.UInt32,
        "asset": pl.String,
        "model": pl.String,
        "model_path": pl.String,
        "point": pl.String,
        "time": pl.Int64,
        "value": pl.Float64,
        "is_int": pl.Boolean,
    }
)


@dataclass(frozen=True)
class Read:
    """What the shapes proved.

    Attributes:
        numbers: NUMBERS of the selected points, in arrival order.
        unused: values of points that are not selected.
        rest: ``message u32, text str``: the messages that no shape matched.
    """

    numbers: pl.DataFrame
    unused: int
    rest: pl.DataFrame


Points = frozenset[tuple[str, str]]


def read(texts: pl.DataFrame, selected: Points) -> Read:
    """Read ``message u32, text str`` by shapes that are learned on the way; ``selected`` holds (model, point)."""
    is_long = pl.col("text").str.len_bytes() > MAX_BYTES
    long, rest = texts.filter(is_long), texts.filter(~is_long)
    parts: list[Read] = []
    is_flat = False
    for number in range(SHAPES):
        if rest.height < MIN_MESSAGES:
            break
        # Not always the first: a message that no shape describes must not stop the others.
        sample = rest["text"][number * rest.height // SHAPES]
        try:
            shape = learn(sample, frozenset(point for _, point in selected), flat=is_flat)
        except Unshapely:
            is_flat = not is_flat
            continue
        part = _read_shape(shape, rest, selected)
        is_flat = part.rest.height > _FEW_MATCHED * rest.height
        parts.append(part)
        rest = part.rest
    frames = [part.numbers for part in parts]
    numbers = (
        frames[0] if len(frames) == 1 else pl.concat([NUMBERS.to_frame(), *frames]).sort("message", maintain_order=True)
    )
    return Read(numbers, sum(part.unused for part in parts), pl.concat([rest, long]).sort("message"))


def _read_shape(shape: Shape, texts: pl.DataFrame, selected: Points) -> Read:
    groups = texts.with_columns(pl.col("text").str.extract_groups(shape.whole).alias("groups"))
    is_matched = groups["groups"].struct.field("model").is_not_null()
    items = _items(shape, groups.filter(is_matched).select("message", "groups").unnest("groups"))
    rest = texts.filter(~is_matched)
    if "flat" in items.columns:
        strayed = items.filter(_is_strayed(selected)).select("message").unique()
        items = items.join(strayed, on="message", how="anti", maintain_order="left")
        rest = pl.concat([rest, texts.join(strayed, on="message", how="semi")])
    raw = pl.concat(list(_raw_numbers(shape, items, selected)))
    if len(shape.points) != 1:
        raw = raw.sort("message", maintain_order=True)
    return Read(_numbers(raw), _values(shape, items) - raw.height, rest)


def _items(shape: Shape, messages: pl.DataFrame) -> pl.DataFrame:
    """Return one row an item, with the groups of the shape as columns."""
    if shape.item is not None:
        each = messages.with_columns(pl.col("items").str.extract_all(bare(shape.item))).explode("items")
        messages = each.with_columns(pl.col("items").str.extract_groups(f"^{shape.item}$")).unnest("items")
    if "model_path" not in messages.columns:
        messages = messages.with_columns(model_path=pl.concat_str(pl.lit("/"), "model"))
    return messages


def _is_strayed(selected: Points) -> pl.Expr:
    """Whether a ``flat`` group holds a wanted point twice, or as something else than a number."""
    strays = []
    for point in {point for _, point in selected}:
        times = pl.col("flat").str.count_matches(f'"{point}"', literal=True)
        strays.append((times > 1) | ((times == 1) & pl.col("flat").str.extract(pair(point)).is_null()))
    return pl.any_horizontal(strays)


def _raw_numbers(shape: Shape, items: pl.DataFrame, selected: Points) -> Iterator[pl.DataFrame]:
    """Yield the numbers of selected points as text, point by point."""
    if "point" in items.columns:
        pairs = pl.DataFrame(sorted(selected), schema=["model", "point"], orient="row")
        yield items.join(pairs, on=["model", "point"], how="semi", maintain_order="left").select(*_RAW, raw="v0")
        return
    is_flat = "flat" in items.columns
    points = sorted({point for _, point in selected}) if is_flat else shape.points
    yield pl.DataFrame(schema={**dict.fromkeys(_RAW, pl.String), "message": pl.UInt32, "raw": pl.String})
    for number, point in enumerate(points):
        models = [model for model, name in selected if name == point]
        raw = pl.col("flat").str.extract(pair(point)) if is_flat else pl.col(f"v{number}")
        columns = items.filter(pl.col("model").is_in(models)).with_columns(raw=raw, point=pl.lit(point))
        yield columns.filter(pl.col("raw").is_not_null()).select(*_RAW, "raw")


_RAW = ("message", "asset", "model", "model_path", "point", "time")


def _values(shape: Shape, items: pl.DataFrame) -> int:
    """Count the values that the items hold."""
    if "flat" in items.columns:
        return int(items["flat"].str.count_matches(r'"\s*:').sum())
    return items.height * (len(shape.points) + shape.unused if "v0" not in items.columns or shape.points else 1)


def _numbers(raw: pl.DataFrame) -> pl.DataFrame:
    # What the expression matched is a number; one of too many digits for the cast is beyond a float.
    value = pl.col("raw").cast(pl.Float64, strict=False).fill_null(float("inf"))
    is_int = ~pl.col("raw").str.contains("[.eE]")
    return raw.with_columns(pl.col("time").cast(pl.Int64), value=value, is_int=is_int).select(NUMBERS.names())
