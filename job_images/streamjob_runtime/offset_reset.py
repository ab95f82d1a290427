"""Where a paused job is to read on, decided from what its checkpoint and the brokers say; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from streamjob_api.checkpoint_tools import OffsetRow, Target
from streamjob_runtime.offsets import Offsets, Place, StreamOffset, moved, positions, topic_ids


class Refused(Exception):  # noqa: N818 (an answer)
    """Why nothing is done, in words for whoever asked."""


@dataclass(frozen=True)
class Brokers:
    """What the job's topics hold now.

    Attributes:
        earliest, latest: where each partition begins and ends.
        at: the first message at or after the time that was asked for; empty where none was.
        topic_ids: by topic, where the brokers tell.
    """

    earliest: Offsets
    latest: Offsets
    at: Offsets
    topic_ids: Mapping[str, str]


def destination(target: Target, brokers: Brokers) -> Offsets:
    """Where each partition that is reset is read next.

    Raises:
        Refused: naming every partition that cannot be.
    """
    if target.positions:
        return _named(target, brokers)
    chosen = {"earliest": brokers.earliest, "latest": brokers.latest, None: brokers.at}[target.end]
    topics = sorted({place.topic for place in chosen})
    if target.topic is not None and target.topic not in topics:
        raise Refused(f"the job does not read topic {target.topic}; it reads {' and '.join(topics)}")
    return {place: at for place, at in chosen.items() if target.topic in {None, place.topic}}


def _named(target: Target, brokers: Brokers) -> Offsets:
    topics = sorted({place.topic for place in brokers.latest})
    found: Offsets = {}
    faults = []
    for row in target.positions:
        topic = row.topic or target.topic or (topics[0] if len(topics) == 1 else "")
        place = Place(topic, row.partition)
        if not topic:
            faults.append(f"{row.partition}={row.position}: the job reads {' and '.join(topics)}; say which (--topic)")
        elif topic not in topics:
            faults.append(f"the job does not read topic {topic}; it reads {' and '.join(topics)}")
        elif place not in brokers.latest:
            last = max(known.partition for known in brokers.latest if known.topic == topic)
            faults.append(f"topic {topic} has no partition {row.partition}; its partitions are 0 to {last}")
        elif not brokers.earliest[place] <= row.position <= brokers.latest[place]:
            limits = f"{brokers.earliest[place]} to {brokers.latest[place]}"
            faults.append(f"partition {row.partition} of {topic} holds the offsets {limits}, not {row.position}")
        else:
            found[place] = row.position
    if faults:
        raise Refused("; ".join(dict.fromkeys(faults)))
    return found


def reset(offset: StreamOffset, to: Offsets, brokers: Brokers) -> StreamOffset:
    """The offset that the next micro-batch begins at.

    Raises:
        Refused: a topic was made anew, and not all of its partitions are reset.
    """
    was = topic_ids(offset)
    ids = {}
    for topic, found in brokers.topic_ids.items():
        own = {place for place in brokers.latest if place.topic == topic}
        if own <= to.keys():
            ids[topic] = found
        elif own & to.keys() and was.get(topic, found) != found:
            raise Refused(
                f"topic {topic} was deleted and created anew: reset all of its {len(own)} partitions, as --to earliest "
                "does"
            )
    kept = {place: at for place, at in positions(offset).items() if place in brokers.latest or place.topic not in ids}
    return moved({**offset, **_without(offset, kept)}, to, ids)


def _without(offset: StreamOffset, kept: Offsets) -> StreamOffset:
    """The topics of an offset without partitions that a topic made anew does not have."""
    topics = {place.topic for place in positions(offset)}
    return {topic: {str(p.partition): at for p, at in kept.items() if p.topic == topic} for topic in topics}


def rows(offset: StreamOffset, brokers: Brokers | None, to: Offsets | None = None) -> list[OffsetRow]:
    """What is said of each partition that the job reads; without ``brokers`` all that it ever read."""
    known = positions(offset)
    places = known.keys() if brokers is None else {place for place in brokers.latest if place in known or to}
    found = []
    for place in sorted(places):
        limits: dict[str, int] = {}
        if brokers is not None and place in brokers.latest:
            position = known.get(place, brokers.earliest[place])
            lag = max(0, brokers.latest[place] - position)
            limits = {"earliest": brokers.earliest[place], "latest": brokers.latest[place], "lag": lag}
        after = {} if to is None or place not in to else {"after": to[place]}
        position = known.get(place, limits.get("earliest", 0))
        found.append(OffsetRow(topic=place.topic, partition=place.partition, position=position, **limits, **after))
    return found
