"""How long a duration of a manifest may be: types of fields, so that its fault is told beside those of other fields."""

from typing import Annotated

from pydantic import AfterValidator

from streamjob_api.durations import Duration

SECOND_MS = 1_000
DAY_MS = 86_400_000


def between(least: str, most: str) -> AfterValidator:
    """A duration stays within these limits, which belong to it."""
    lowest, highest = Duration.parse(least), Duration.parse(most)

    def check(value: Duration) -> Duration:
        if not lowest.milliseconds <= value.milliseconds <= highest.milliseconds:
            raise ValueError(f"'{value}' is out of range; write {least} to {most}")
        return value

    return AfterValidator(check)


def _a_second(value: Duration) -> Duration:
    if value.milliseconds < SECOND_MS:
        raise ValueError(f"'{value}' is too short; write 1s or more")
    return value


def _whole_seconds(value: Duration) -> Duration:
    if value.milliseconds % SECOND_MS or not 0 < value.milliseconds <= DAY_MS:
        raise ValueError(f"'{value}' is no length of a window; write whole seconds, from 1s to 1d")
    return value


Latency = Annotated[Duration, between("0s", "1d")]
TriggerInterval = Annotated[Duration, between("0s", "1m")]
AtLeastASecond = Annotated[Duration, AfterValidator(_a_second)]
WindowLength = Annotated[Duration, AfterValidator(_whole_seconds)]
