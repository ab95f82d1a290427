"""Reading messages by their shapes: columns in, columns out, no Python object a message."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from streamjob_runtime.extraction import extract_groups, is_int, numbers
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
    """Return NUMBERS; with ``text str``, JSON, where points may have texts or truth values; with ``quality i64``."""
    texts = {"text": pl.String()} if form.texts else {}
    qualities = {"quality": pl.Int64()} if form.qualities else {}
    return pl.Schema({**NUMBERS, **texts, **qualities})


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
    found = extract_groups(texts["text"], shape.whole).insert_column(0, texts["message"])
    is_matched, rest = found["matched"], texts.clear()
    if not is_matched.all():
        found, rest = found.filter(is_matched), texts.filter(~is_matched)
    items = _items(shape, found)
    is_strayed = items.select(_is_strayed(shape, form.selected)).to_series()
    if is_strayed.any():
        strayed = items.filter(is_strayed).select("message").unique()
        items = items.join(strayed, on="message", how="anti", maintain_order="left")
        rest = pl.concat([rest, texts.join(strayed, on="message", how="semi")])
    numbers = pl.concat([columns_of(form).to_frame(), *_numbers(shape, items, form)])
    if len(shape.points) != 1:
        numbers = numbers.sort("message", maintain_order=True)
    return Read(numbers, _values(shape, items) - numbers.height, rest)


def _items(shape: Shape, messages: pl.DataFrame) -> pl.DataFrame:
    """Return one row an item, with the groups of the shape as columns."""
    if shape.item is not None:
        each = messages.with_columns(pl.col("items").str.extract_all(bare(shape.item))).explode("items")
        messages = each.drop("items", "matched").hstack(extract_groups(each["items"], f"^{shape.item}$"))
    if shape.model is not None:
        messages = messages.with_columns(model=pl.lit(shape.model))
    if shape.named is not None:
        messages = messages.with_columns(point=shape.named.point, v0=shape.named.value)
    if "model_path" not in messages.columns:
        messages = messages.with_columns(model_path=pl.concat_str(pl.lit("/"), "model"))
    return messages.with_columns(time=pl.when("matched").then(shape.milliseconds))


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


def _numbers(shape: Shape, items: pl.DataFrame, form: Form) -> Iterator[pl.DataFrame]:
    """Yield the values of selected points, ``columns_of`` the form, point by point."""
    if shape.named is not None:
        yield _read_values(items.filter(_is_selected(form.selected)), "v0", shape, form)
        return
    for group, point in enumerate(shape.points):
        yield _read_values(_of_point(items, point, form), f"v{group}", shape, form)
    for point, written in () if shape.flat is None else shape.flat.written:
        of_point = _of_point(items, point, form).with_columns(v0=written)
        yield _read_values(of_point.filter(pl.col("v0").is_not_null()), "v0", shape, form)


def _of_point(items: pl.DataFrame, point: str, form: Form) -> pl.DataFrame:
    """Return the items whose model has the point, selected, and name it."""
    is_selected = items["model"].is_in([model for model, name in form.selected if name == point])
    of_models = items if is_selected.all() else items.filter(is_selected)
    return of_models.with_columns(point=pl.lit(point))


def _read_values(rows: pl.DataFrame, group: str, shape: Shape, form: Form) -> pl.DataFrame:
    """Return the rows as ``columns_of`` the form, with their values in a group, written or read."""
    text = pl.lit(None, pl.String)
    if is_int(group) not in rows.columns:
        written = number_in(group, takes_texts=shape.takes_texts) if form.texts else pl.col(group)
        rows = rows.with_columns(written, text=group).with_columns(*numbers(group))
        text = pl.when(pl.col(group).is_null()).then("text")
    place = f"q{group.removeprefix('v')}"
    quality = pl.col(place) if place in rows.columns else pl.lit(0, pl.Int64)
    columns = {"value": pl.col(group), "is_int": pl.col(is_int(group)), "text": text, "quality": quality}
    return rows.select(columns.get(name, pl.col(name)).alias(name) for name in columns_of(form))


def _values(shape: Shape, items: pl.DataFrame) -> int:
    """Count the values that the items hold."""
    if shape.flat is not None:
        return int(items.select(shape.flat.values).to_series().sum())
    return items.height * (len(shape.points) + shape.unused if shape.named is None else 1)
