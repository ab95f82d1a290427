"""What makes a module a calculator, and what the operator may know of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from streamjob_api.calculators import StageParameters, catalogue
from streamjob_calculators.kit import Calculator

LIBRARY = Path(sys.modules["streamjob_calculators"].__path__[0])
MODULES = sorted(file.stem for file in LIBRARY.glob("*.py") if file.stem != "__init__")


def test_each_module_is_a_calculator_under_its_own_name() -> None:
    assert {name.replace("-", "_") for name in catalogue()} >= {*MODULES}


@pytest.mark.parametrize("name", catalogue())
def test_it_has_a_function_a_page_and_an_example_of_each_parameter(name: str) -> None:
    calculator = catalogue()[name]
    assert issubclass(calculator, Calculator)
    assert calculator.apply is not Calculator.apply
    assert calculator.__doc__ != StageParameters.__doc__
    for field in calculator.model_fields.values():
        assert field.description
        assert field.examples


def test_parameters_are_known_where_there_are_no_libraries_of_columns() -> None:
    program = (
        "import sys; sys.modules['polars'] = sys.modules['numpy'] = None\n"
        "from streamjob_api.calculators import catalogue\n"
        "print(len(catalogue()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(catalogue())
