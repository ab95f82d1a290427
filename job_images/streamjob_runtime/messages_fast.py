"""Reading messages by their shapes: columns in, columns out, no Python object a message."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from streamjob_runtime.extraction import extract_groups
from streamjob_runtime.message_forms import Form, Points
from streamjob_runtime.message_shapes import Shape, Unshapely, bare
from streamjob_runtime.unlisted_points import Flat, number_in

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
        numbers: the values of the selected points, ``columns_of`` the form, in arrival order.
        unused: values of points that are not selected.
        rest: ``message u32, text str``: the messages that no shape matched.
    """

    numbers: pl.DataFrame
    unused: int
    rest: pl.DataFrame


def columns_of(form: Form) -> pl.Schema:
    """Return NUMBERS, and with it ``text str``, JSON, where some points may have texts or truth values."""
    return pl.Schema(NUMBERS | {"text": pl.String}) if form.texts else NUMBERS


def read(texts: pl.DataFrame, form: Form) -> Read:
    """Read ``message u32, text str`` by shapes that are learned on the way."""
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
            shape = form.learn(sample, flat=is_flat)
        except Unshapely:
            is_flat = not is_flat
            continue
        part = _read_shape(shape, rest, form)
        is_flat = part.rest.height > _FEW_MATCHED * rest.height
        parts.append(part)
        rest = part.rest
    frames = [part.numbers for part in parts]
    numbers = (
        frames[0]
        if len(frames) == 1
        else pl.concat([columns_of(form).to_frame(), *frames]).sort("message", maintain_order=True)
    )
    return Read(numbers, sum(part.unused for part in parts), pl.concat([rest, long]).sort("message"))


def _read_shape(shape: Shape, texts: pl.DataFrame, form: Form) -> Read:
    selected = form.selected
    groups = extract_groups(texts["text"], shape.whole)
    is_matched = groups.to_series().is_not_null()  # every group takes part in every match
    found, rest = groups.insert_column(0, texts["message"]), texts.clear()
    if not is_matched.all():
        found, rest = found.filter(is_matched), texts.filter(~is_matched)
    items = _items(shape, found)
    is_strayed = items.select(_is_strayed(shape, selected)).to_series()
    if is_strayed.any():
        strayed = items.filter(is_strayed).select("message").unique()
        items = items.join(strayed, on="message", how="anti", maintain_order="left")
        rest = pl.concat([rest, texts.join(strayed, on="message", how="semi")])
    raw = pl.concat(list(_raw_numbers(shape, items, selected)))
    if len(shape.points) != 1:
        raw = raw.sort("message", maintain_order=True)
    numbers = _values_of(raw, shape) if form.texts else _numbers(raw)
    return Read(numbers.select(columns_of(form).names()), _values(shape, items) - raw.height, rest)


def _items(shape: Shape, messages: pl.DataFrame) -> pl.DataFrame:
    """Return one row an item, with the groups of the shape as columns."""
    if shape.item is not None:
        each = messages.with_columns(pl.col("items").str.extract_all(bare(shape.item))).explode("items")
        messages = each.drop("items").hstack(extract_groups(each["items"], f"^{shape.item}$"))
    if shape.model is not None:
        messages = messages.with_columns(model=pl.lit(shape.model))
    if shape.named is not None:
        messages = messages.with_columns(point=shape.named.point, v0=shape.named.value)
    if "model_path" not in messages.columns:
        messages = messages.with_columns(model_path=pl.concat_str(pl.lit("/"), "model"))
    return messages.with_columns(time=shape.milliseconds)


def _is_strayed(shape: Shape, selected: Points) -> pl.Expr:
    """Whether only the complete reading can tell an item's time or points."""
    strays = [pl.col("time").is_null()]
    if shape.named is not None:
        strays.append(_is_selected(selected) & pl.col("v0").is_null())
    if shape.flat is not None:
        strays += list(_flat_strays(shape.flat))
    return pl.any_horizontal(strays)


def _flat_strays(flat: Flat) -> Iterator[pl.Expr]:
    """Yield whether the object holds a wanted point twice, or as something that it may not be, or no point."""
    for point, member in flat.members:
        times = pl.col("flat").str.count_matches(f'"{member}"', literal=True)
        yield (times > 1) | ((times == 1) & pl.col("flat").str.extract(flat.value_of(point, member)).is_null())
    if flat.is_never_empty:
        yield flat.values == 0


def _is_selected(selected: Points) -> pl.Expr:
    """Whether an item names a selected point."""
    points: dict[str, list[str]] = {}
    for model, point in selected:
        points.setdefault(model, []).append(point)
    named = [(pl.col("model") == model) & pl.col("point").is_in(of_model) for model, of_model in points.items()]
    return pl.any_horizontal(pl.lit(value=False), *named)


def _raw_numbers(shape: Shape, items: pl.DataFrame, selected: Points) -> Iterator[pl.DataFrame]:
    """Yield the values of selected points as they are written, numbers without quotes, point by point."""
    if shape.named is not None:
        yield items.filter(_is_selected(selected)).select(*_RAW, raw="v0")
        return
    yield pl.DataFrame(schema=_RAW | {"raw": pl.String})
    for point, raw in _columns(shape):
        models = [model for model, name in selected if name == point]
        columns = items.filter(pl.col("model").is_in(models)).with_columns(raw=raw, point=pl.lit(point))
        yield columns.filter(pl.col("raw").is_not_null()).select(*_RAW, "raw")


def _columns(shape: Shape) -> Iterator[tuple[str, pl.Expr]]:
    """Yield the selected points, each with its values as they are written."""
    if shape.flat is None:
        yield from ((point, pl.col(f"v{number}")) for number, point in enumerate(shape.points))
        return
    for point, member in shape.flat.members:
        written = pl.col("flat").str.extract(shape.flat.value_of(point, member))
        yield point, written if point in shape.flat.texts else written.str.strip_chars('"')


_RAW = {name: dtype for name, dtype in NUMBERS.items() if name not in {"value", "is_int"}}


def _values(shape: Shape, items: pl.DataFrame) -> int:
    """Count the values that the items hold."""
    if shape.flat is not None:
        return int(items.select(shape.flat.values).to_series().sum())
    return items.height * (len(shape.points) + shape.unused if shape.named is None else 1)


def _numbers(raw: pl.DataFrame) -> pl.DataFrame:
    # What the expression matched is a number; one of too many digits for the cast is beyond a float.
    value = pl.col("raw").cast(pl.Float64, strict=False).fill_null(float("inf"))
    is_int = ~pl.col("raw").str.contains("[.eE]")
    return raw.with_columns(value=value, is_int=is_int)


def _values_of(raw: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """As ``_numbers``, and in ``text`` what is no number."""
    parted = raw.with_columns(text="raw", raw=number_in("raw", takes_texts=shape.takes_texts))
    is_number = pl.col("raw").is_not_null()
    return _numbers(parted).with_columns(
        value=pl.when(is_number).then("value"),
        is_int=is_number & pl.col("is_int"),
        text=pl.when(~is_number).then("text"),
    )
