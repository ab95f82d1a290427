"""Which messages the next micro-batch reads, and which shards tick in it; pure.

An offset of the source is ``{"<topic>": {"<partition>": offset}, ..., "now": epoch ms}``. ``now`` is the clock of a
micro-batch. It is part of the end offset, so that a replayed micro-batch sees the time of its first try, and it moves
only when there is something to do, so that an idle job runs no micro-batch. Further members of an end offset:

- ``ticks``: shards that are folded because their deadline has come, or ALL.
- ``read``: the clock of the last micro-batch that read messages, where that is not this one.
- ``topicIds``: what the brokers call the topics; one that was deleted and created anew has another id.
- ``edits``: the number of the last edit of the state that was taken up (``edits``); the edits since the start offset
  are carried out in this micro-batch.

A topic that is not read any more keeps its positions and its id, so that it is read on from there should it come back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from streamjob_api.topics import OFFSET_MEMBERS

StreamOffset = dict[str, Any]
ALL: Final = "all"
# A rate limit makes up for time that passed without a micro-batch, up to this.
_LONGEST_CREDIT_MS = 60_000
_FIRST_CREDIT_MS = 1_000
_WORTH_A_TASK = 20_000


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


Offsets = dict[Place, int]


@dataclass(frozen=True)
class OffsetRange:
    """Messages ``[start, end)`` of one partition."""

    topic: str
    partition: int
    start: int
    end: int


@dataclass(frozen=True)
class Holdings:
    """What the job's topics hold now.

    Attributes:
        latest: end of each partition.
        new: beginnings of partitions that the start offset does not know; the micro-batch only adds them.
        topic_ids: by topic, where the brokers tell.
    """

    latest: Mapping[Place, int]
    new: Mapping[Place, int] = field(default_factory=dict)
    topic_ids: Mapping[str, str] = field(default_factory=dict)


def stream_offset(offsets: Mapping[Place, int], topic_ids: Mapping[str, str] | None = None) -> StreamOffset:
    """An offset as Spark logs it, without a clock."""
    offset: StreamOffset = {}
    for place in sorted(offsets):
        offset.setdefault(place.topic, {})[str(place.partition)] = offsets[place]
    return offset | ({"topicIds": dict(topic_ids)} if topic_ids else {})


def positions(offset: StreamOffset) -> Offsets:
    """The next message to read of each partition."""
    return {
        Place(topic, int(partition)): int(position)
        for topic, partitions in offset.items()
        if topic not in OFFSET_MEMBERS
        for partition, position in partitions.items()
    }


def topic_ids(offset: StreamOffset) -> dict[str, str]:
    """What the brokers called the topics when they were read."""
    ids: dict[str, str] = offset.get("topicIds", {})
    return ids


def edits_of(offset: StreamOffset) -> int:
    """The number of the last edit of the state that was taken up; 0 before the first."""
    return int(offset.get("edits", 0))


def next_offset(
    start: StreamOffset,
    holdings: Holdings,
    limit: int,
    now_ms: int,
    ticks: Sequence[int] | str = (),
    edits: int = 0,
) -> StreamOffset:
    """Where the micro-batch that begins at ``start`` ends: ``start`` itself when there is nothing to do.

    Args:
        start: end of the last micro-batch.
        holdings: what there is to read; the positions of other topics stay as they are.
        limit: messages at most; partitions share it in proportion to what they hold.
        now_ms: the clock.
        ticks: shards whose deadline has come, or ALL.
        edits: the number of the last edit of the state that there is.
    """
    known = positions(start)
    waiting = {place: max(0, holdings.latest.get(place, 0) - at) for place, at in known.items()}
    shares = _shares(waiting, limit)
    edits = max(edits, edits_of(start))
    if not any(shares.values()) and not holdings.new and not ticks and edits == edits_of(start):
        return start
    end = {**holdings.new, **{place: at + shares[place] for place, at in known.items()}}
    clock = {"now": max(now_ms, int(start.get("now", 0)))}
    if not any(shares.values()) and (read_at := _read_at(start)) is not None:
        clock["read"] = read_at
    ids = topic_ids(start) | dict(holdings.topic_ids)
    return stream_offset(end, ids) | clock | ({"ticks": ticks} if ticks else {}) | ({"edits": edits} if edits else {})


def moved(offset: StreamOffset, to: Mapping[Place, int], ids: Mapping[str, str]) -> StreamOffset:
    """The same offset at other positions; ``ids`` are of topics that are wholly read from there."""
    kept = {member: offset[member] for member in ("now", "read", "edits") if member in offset}
    return stream_offset(positions(offset) | dict(to), topic_ids(offset) | dict(ids)) | kept


def _shares(waiting: Mapping[Place, int], limit: int) -> dict[Place, int]:
    total, limit = sum(waiting.values()), max(0, limit)
    if total <= limit:
        return dict(waiting)
    shares = {place: count * limit // total for place, count in waiting.items()}
    # What rounding left goes, one by one, to the partitions that hold most.
    rest = limit - sum(shares.values())
    for place in sorted(waiting, key=lambda place: (-waiting[place], place))[:rest]:
        shares[place] += 1
    return shares


def credit(rate_limit: int | None, start: StreamOffset, now_ms: int, most: int) -> int:
    """How many messages may be read now: what the rate limit allows for the time since some were read."""
    if rate_limit is None:
        return most
    read_at = _read_at(start)
    elapsed_ms = _FIRST_CREDIT_MS if read_at is None else now_ms - read_at
    return min(most, rate_limit * min(max(elapsed_ms, 0), _LONGEST_CREDIT_MS) // 1000)


def _read_at(offset: StreamOffset) -> int | None:
    """When messages were read last; None before the first micro-batch."""
    read_at = offset.get("read", offset.get("now"))
    return None if read_at is None else int(read_at)


def ranges(start: StreamOffset, end: StreamOffset) -> list[OffsetRange]:
    """What each partition contributes to the micro-batch from ``start`` to ``end``."""
    begin = positions(start)
    return [
        OffsetRange(*place, begin[place], stop)
        for place, stop in positions(end).items()
        if stop > begin.get(place, stop)
    ]


def packed(wanted: Sequence[OffsetRange]) -> list[list[OffsetRange]]:
    """Which ranges one task reads: those of a few messages share it, since a task by itself costs as much as thousands.

    Measured: 35 ms of CPU a task, 1 to 2 us a message.
    """
    tasks: list[list[OffsetRange]] = []
    messages = _WORTH_A_TASK
    for each in wanted:
        if messages >= _WORTH_A_TASK:
            tasks.append([])
            messages = 0
        tasks[-1].append(each)
        messages += each.end - each.start
    return tasks
