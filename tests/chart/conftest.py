import pytest

from fixtures.chart import Chart
from fixtures.chart import chart as our_chart


@pytest.fixture(scope="session")
def chart() -> Chart:
    return our_chart()
