"""The libraries of columns, loaded when one of their names is first asked for.

The operator knows the calculators' parameters, and its image has neither of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
else:

    class _Library:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            found = getattr(import_module(self._name), name)
            setattr(self, name, found)
            return found

    np, pl = _Library("numpy"), _Library("polars")

__all__ = ["np", "pl"]
