"""What calculators are made of."""

from streamjob_calculators.kit.calculator import Calculator, PointCalculator, Run
from streamjob_calculators.kit.columns import np, pl

__all__ = ["Calculator", "PointCalculator", "Run", "np", "pl"]
