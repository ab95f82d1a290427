"""Counting and averaging."""

from datetime import UTC, datetime

from streamjob_api.progress import DriverState, Progress, Totals
from streamjob_runtime.accounts import Accounts
from streamjob_runtime.metrics import exposition
from streamjob_runtime.rows import added_up, counts_row
from streamjob_runtime.throughput import Throughput


def test_counts_of_partitions_add_up_and_the_newest_time_is_kept() -> None:
    rows = [counts_row(1, "t/0", 0, {"messages": 2, "maxTime": 7}), counts_row(2, "t/1", 0, {"messages": 3, "late": 1})]
    assert added_up(row.block for row in rows) == {"messages": 5, "late": 1, "maxTime": 7}
    assert added_up([]) == {}


def test_a_micro_batch_counts_once_it_is_committed() -> None:
    accounts = Accounts(Throughput(0.0), clock=lambda: 100.0)
    accounts.pend(0, {"messages": 5, "out": 1, "malformed.InvalidJson": 2, "maxTime": 40})
    assert accounts.totals(0).messages == 0
    accounts.pend(1, {"messages": 7, "refused.NotFinite": 1, "maxTime": 30})  # its turn: 0 is committed
    assert (accounts.totals(0).messages, accounts.committed_batch, accounts.max_time_ms) == (5, 0, 40)
    accounts.commit(0)
    assert accounts.totals(0).messages == 5
    accounts.commit(1)
    totals = accounts.totals(2)
    assert (totals.messages, totals.out, totals.malformed, totals.refused, totals.errors) == (12, 1, 2, 1, 2)
    assert accounts.by_reason("malformed") == {"InvalidJson": 2}
    assert accounts.max_time_ms == 40


def test_reasons_stay_few_whatever_the_input() -> None:
    accounts = Accounts(Throughput(0.0))
    accounts.pend(0, {f"refused.R{number}": number + 1 for number in range(40)})
    accounts.commit(0)
    assert len(accounts.by_reason("refused")) == 16
    assert accounts.totals(0).refused == sum(range(25, 41))


def test_a_rate_is_null_until_its_window_has_passed() -> None:
    throughput = Throughput(started_at=0.0)
    for second in range(120):
        throughput.add(float(second), messages=10, out=1)
    rates = throughput.rates(now=119.9)
    assert rates["5m"].messages is None
    assert rates["1m"].messages is not None
    assert abs(rates["1m"].messages - 10) < 0.1
    assert throughput.rates(now=3600.0)["1m"].messages == 0
    assert throughput.rates(now=3600.0)["1h"].messages == round(1200 / 3600, 2)


def test_a_violated_order_is_counted() -> None:
    accounts = Accounts(Throughput(0.0))
    accounts.pend(0, {"messages": 3, "severalPartitions": 2})
    accounts.commit(0)
    assert accounts.totals(0).several_partitions == 2


def test_values_of_assets_that_are_left_out_are_counted_apart() -> None:
    accounts = Accounts(Throughput(0.0))
    accounts.pend(0, {"messages": 3, "records": 1, "filtered": 2})
    accounts.commit(0)
    totals = accounts.totals(0)
    assert (totals.records, totals.filtered, totals.refused) == (1, 2, 0)


def test_attributes_that_cannot_be_used_and_repetitions_are_told() -> None:
    accounts = Accounts(Throughput(0.0))
    accounts.pend(0, {"attributeMissing": 4, "attributeInvalid": 2, "repeated": 3})
    accounts.commit(0)
    totals = accounts.totals(0)
    assert (totals.attribute_missing, totals.attribute_invalid, totals.repeated) == (4, 2, 3)
    lines = _exposition(totals).splitlines()
    name = "streamjob_attributes_without_value_total"
    assert [line.removeprefix(name) for line in lines if line.startswith(name)] == [
        '{reason="missing"} 4.0',
        '{reason="invalid"} 2.0',
    ]
    assert 'streamjob_records_total{outcome="repeated"} 3.0' in lines


def test_calculations_without_a_result_are_told_by_reason() -> None:
    accounts = Accounts(Throughput(0.0))
    accounts.pend(0, {"messages": 9, "missing": 1, "divisionByZero": 2, "notFinite": 3, "wrongType": 4})
    accounts.commit(0)
    totals = accounts.totals(0)
    assert (totals.missing, totals.division_by_zero, totals.not_finite, totals.wrong_type) == (1, 2, 3, 4)
    text = _exposition(totals)
    name = "streamjob_calculations_without_result_total"
    assert [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)] == [
        '{reason="missing"} 1.0',
        '{reason="divisionByZero"} 2.0',
        '{reason="notFinite"} 3.0',
        '{reason="wrongType"} 4.0',
    ]


def _exposition(totals: Totals) -> str:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    progress = Progress(state=DriverState.RUNNING, attempt=1, started_at=now, observed_at=now, totals=totals)
    return exposition(lambda: progress)().decode()
