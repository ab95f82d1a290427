"""Which messages the next micro-batch reads: ``{"<topic>": {"<partition>": offset}, "now": epoch ms}``, pure.

``now`` is the clock of a micro-batch. It is part of the end offset, so that a replayed micro-batch sees the time of its
first try, and it moves only when there is data, so that an idle job runs no micro-batch.
"""

from collections.abc import Mapping
from typing import Any

from streamjob_runtime.consumers import OffsetRange

StreamOffset = dict[str, Any]
# A rate limit makes up for time that passed without a micro-batch, up to this.
_LONGEST_CREDIT_MS = 60_000
_FIRST_CREDIT_MS = 1_000


def stream_offset(topic: str, offsets: Mapping[int, int], now_ms: int | None = None) -> StreamOffset:
    """An offset as Spark logs it."""
    positions = {str(partition): offsets[partition] for partition in sorted(offsets)}
    return {topic: positions} if now_ms is None else {topic: positions, "now": now_ms}


def positions(offset: StreamOffset, topic: str) -> dict[int, int]:
    """The next message to read of each partition."""
    return {int(partition): int(position) for partition, position in offset.get(topic, {}).items()}


def next_offset(
    start: StreamOffset,
    topic: str,
    latest: Mapping[int, int],
    new_partitions: Mapping[int, int],
    limit: int,
    now_ms: int,
) -> StreamOffset:
    """Where the micro-batch that begins at ``start`` ends: ``start`` itself when there is nothing to read.

    Args:
        start: end of the last micro-batch.
        topic: the topic that is read.
        latest: end of each partition.
        new_partitions: beginnings of partitions that ``start`` does not know; the micro-batch only adds them.
        limit: messages at most; partitions share it in proportion to what they hold.
        now_ms: the clock.
    """
    begin = {**new_partitions, **positions(start, topic)}
    waiting = {partition: max(0, latest.get(partition, 0) - begin[partition]) for partition in begin}
    for partition in new_partitions:
        waiting[partition] = 0
    total = sum(waiting.values())
    if limit < 1 or (total == 0 and not new_partitions):
        return start
    end = {partition: begin[partition] + share for partition, share in _shares(waiting, total, limit).items()}
    return stream_offset(topic, end, max(now_ms, int(start.get("now", 0))))


def _shares(waiting: Mapping[int, int], total: int, limit: int) -> dict[int, int]:
    if total <= limit:
        return dict(waiting)
    shares = {partition: count * limit // total for partition, count in waiting.items()}
    # What rounding left goes, one by one, to the partitions that hold most.
    rest = limit - sum(shares.values())
    for partition in sorted(waiting, key=lambda p: (-waiting[p], p))[:rest]:
        shares[partition] += 1
    return shares


def credit(rate_limit: int | None, start: StreamOffset, now_ms: int, most: int) -> int:
    """How many messages may be read now: what the rate limit allows for the time since the last micro-batch."""
    if rate_limit is None:
        return most
    elapsed_ms = now_ms - int(start["now"]) if "now" in start else _FIRST_CREDIT_MS
    return min(most, rate_limit * min(max(elapsed_ms, 0), _LONGEST_CREDIT_MS) // 1000)


def ranges(start: StreamOffset, end: StreamOffset, topic: str) -> list[OffsetRange]:
    """What each partition contributes to the micro-batch from ``start`` to ``end``."""
    begin = positions(start, topic)
    return [
        OffsetRange(topic, partition, begin[partition], stop)
        for partition, stop in positions(end, topic).items()
        if stop > begin.get(partition, stop)
    ]
