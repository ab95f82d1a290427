"""Numbers for the assets and inputs of one partition of a micro-batch, given out chunk by chunk."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import Slots

_NONE = -1


class SeriesNumbers:
    """Numbers assets and inputs from 0, in the order of the chunks that they come in.

    A name is looked up once for each record, in a table that lives as long as this object; all else is arithmetic.
    """

    def __init__(self, inputs: int) -> None:
        self._inputs = inputs
        self._assets, self._paths = _Names(), _Names()
        # By asset and input: its number; and of each number: asset and input, and the path that came last.
        self._numbers = np.empty(0, np.int32)
        self._places = np.empty(0, np.int64)
        self._path_of = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def of(self, rows: pl.DataFrame) -> Slots:
        """Return the number of each row (``asset, input, model_path``)."""
        places = self._assets.codes(rows["asset"]) * self._inputs + rows["input"].to_numpy()
        self._make_room(int(places.max(initial=_NONE)) + 1)
        new = np.unique(places[self._numbers[places] == _NONE])
        self._numbers[new] = np.arange(len(self), len(self) + len(new))
        self._places = np.concatenate([self._places, new])
        self._path_of = np.concatenate([self._path_of, np.zeros(len(new), np.int64)])
        numbers: Slots = self._numbers[places]
        self._path_of[numbers] = self._paths.codes(rows["model_path"])
        return numbers

    def named(self) -> pl.DataFrame:
        """Return ``asset str, input i32, slot i32, model_path str``, one row a number."""
        asset, number = np.divmod(self._places, self._inputs)
        return pl.DataFrame(
            {
                "asset": self._assets.of(asset),
                "input": number.astype(np.int32),
                "slot": np.arange(len(self), dtype=np.int32),
                "model_path": self._paths.of(self._path_of),
            }
        )

    def _make_room(self, places: int) -> None:
        more = places - len(self._numbers)
        if more > 0:
            self._numbers = np.concatenate([self._numbers, np.full(more, _NONE, np.int32)])


class _Names:
    """Names by the order in which they came: the categories of a type of its own."""

    def __init__(self) -> None:
        # The table of categories lives as long as a series of them does.
        self._known = pl.Series(dtype=pl.Categorical(pl.Categories.random()))

    def codes(self, names: pl.Series) -> NDArray[np.int64]:
        """Return the code of each name; new ones are added, in their order."""
        if len(names) and (names == names[0]).all():  # paths often are; a comparison costs a tenth of a look
            return np.full(len(names), self._looked_up(names.head(1))[0])
        return self._looked_up(names)

    def _looked_up(self, names: pl.Series) -> NDArray[np.int64]:
        return names.cast(self._known.dtype).to_physical().to_numpy().astype(np.int64)

    def of(self, codes: NDArray[np.int64]) -> pl.Series:
        """Return the names of codes."""
        physical = pl.lit(pl.Series(codes.astype(np.uint32)))
        return pl.select(physical.cat.to(self._known.dtype).cast(pl.String)).to_series()
