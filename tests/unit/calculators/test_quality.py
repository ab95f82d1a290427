"""The quality of records on their way through a pipeline."""

import json
from typing import Any, NamedTuple

import pytest

from unit.calculators.pipelines import START, job, run, stage


class Rated(NamedTuple):
    """A record of ``M::A`` that a device sends with a quality, None for none."""

    time: int
    quality: int | None

    @property
    def line(self) -> bytes:
        rated = {} if self.quality is None else {"quality": self.quality}
        head = {"modelId": "M", "assetId": "m1", "pointId": "A", "time": START + self.time}
        return json.dumps({**head, "value": 1, **rated}).encode()


SENT: list[Any] = [Rated(0, 0), Rated(1, 192), Rated(2, None), Rated(3, 64)]


def tagging(**options: Any) -> dict[str, Any]:
    return {**stage("off-limit-tagger", input="M::A", threshold="[0, 100)", output="M::B"), **options}


def test_the_quality_leaves_with_results() -> None:
    assert run([tagging()], SENT).values("time", "quality") == [(0, 0), (1, 192), (2, 0), (3, 64)]


def test_only_records_of_the_stages_qualities_enter() -> None:
    outcome = run([tagging(qualities=[0, 64])], SENT)
    assert outcome.values("time") == [(0,), (2,), (3,)]
    assert outcome.counted["filteredQuality"] == 1
    assert outcome.counted["failed"] == 0


def test_a_record_that_is_left_out_does_not_fail_the_precondition() -> None:
    outcome = run([tagging(qualities=[0], precondition="${record::value} > 1")], SENT)
    assert (outcome.counted["filteredQuality"], outcome.counted["failed"]) == (2, 2)


def test_a_condition_asks_for_the_quality() -> None:
    outcome = run([tagging(precondition="${record::quality} >= 64", onRecordError="Discard")], SENT)
    assert outcome.values("time") == [(1,), (3,)]


@pytest.mark.parametrize("qualities", [[0, 0], [*range(21)], ["good"]])
def test_qualities_are_up_to_20_different_whole_numbers(qualities: list[Any]) -> None:
    with pytest.raises(ValueError, match="qualities"):
        _ = job([tagging(qualities=qualities)]).block
