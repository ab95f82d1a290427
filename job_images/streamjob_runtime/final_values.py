"""Results of other jobs that may still change, left out for a job that wants final values only."""

from dataclasses import replace

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.json_reading import parse
from streamjob_runtime.messages import Decoded, Values

# What a calculation's calMode says of a result that another one will replace.
INTERMEDIATE = ("onTime", "early", "running")


def without_intermediate(decoded: Decoded, values: Values, calculated: frozenset[PointRef]) -> Decoded:
    """Leave out and count the intermediate results among what was decoded.

    Args:
        decoded: of ``values``.
        values: the messages; a result of a job is a message of its own, its ``attr.<calculation>.calMode`` says
            whether it is final. One without is.
        calculated: the inputs that other jobs calculate; values of others are no results.
    """
    points = decoded.points
    if points.is_empty():
        return decoded
    names = pl.DataFrame([(ref.model, ref.point) for ref in calculated], schema=["model", "point"], orient="row")
    results = points.join(names, on=["model", "point"], how="semi")["message"].unique()
    intermediate = results.filter(_modes(values, results).is_in(INTERMEDIATE).fill_null(value=False))
    kept = points.filter(~pl.col("message").is_in(intermediate.implode()))
    return replace(decoded, points=kept, intermediate=points.height - kept.height)


def _modes(values: Values, messages: pl.Series) -> pl.Series:
    """Return the calMode of messages, which are known to be JSON; null where one has none."""
    written = pl.Series("text", values, dtype=pl.Binary).gather(messages).cast(pl.String)
    modes = written.str.json_path_match("$.attr.*.calMode")
    # Polars reads less than a message may hold: no NaN, no byte order mark, no half of a surrogate pair.
    unseen = (modes.is_null() & written.str.contains("calMode", literal=True)).arg_true()
    return modes.scatter(unseen, [_mode(values[messages[place]]) for place in unseen]) if len(unseen) else modes


def _mode(value: bytes | None) -> str | None:
    """Return the calMode of one message, by complete reading."""
    content = parse(value)
    attr = content.get("attr") if isinstance(content, dict) else None
    parts = attr.values() if isinstance(attr, dict) else ()
    modes = [part["calMode"] for part in parts if isinstance(part, dict) and "calMode" in part]
    return modes[0] if modes and isinstance(modes[0], str) else None
