"""Whether results are what another tool gives."""

import pandas as pd


def assert_agree(
    ours: "pd.Series[float]", theirs: "pd.Series[float]", relative: float = 1e-12, absolute: float = 0.0
) -> None:
    """The same times, and values that differ no more than the rounding of doubles that are summed in another order."""
    assert len(ours) > 0
    pd.testing.assert_series_equal(
        _plain(ours),
        _plain(theirs),
        check_freq=False,
        rtol=relative,
        atol=absolute,
        obj="ours (left) and theirs (right)",
    )


def _plain(values: "pd.Series[float]") -> "pd.Series[float]":
    index = pd.DatetimeIndex(values.index).tz_convert("UTC").as_unit("ms")
    return pd.Series(values.to_numpy(float), index.rename("time"), name="value")
