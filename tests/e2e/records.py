"""Records of an OU: sent to its topics as a gateway does, read from them and from Redis as a consumer does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from redis import Redis

from e2e.expected import MODEL, Key, at
from fixtures.kafka import ends

SILENT_SECONDS = 30.0


@dataclass(frozen=True)
class Result:
    """One message of a results' topic."""

    key: Key
    value: Any
    revision: tuple[int, ...]


def messages(series: Iterable[tuple[str, str, list[tuple[str, float]]]]) -> Iterator[tuple[str, str]]:
    """Asset and payload of each record, in order."""
    for asset, point, values in series:
        for time, value in values:
            payload = [{"assetId": asset, "time": at(time), "measurepoints": {point: value}}]
            yield asset, json.dumps({"modelId": MODEL, "modelIdPath": f"/{MODEL}", "payload": payload})


def send(bootstrap: str, topic: str, records: Iterable[tuple[str, str]]) -> None:
    """Send records, keyed by asset."""
    producer = Producer({"bootstrap.servers": bootstrap})
    refused: list[str] = []
    for asset, message in records:
        producer.produce(
            topic, message, asset, on_delivery=lambda error, _: refused.append(str(error)) if error else None
        )
    assert producer.flush(120) == 0
    assert not refused


def results(bootstrap: str, topic: str) -> list[Result]:
    """All that a topic holds now; nothing while it is not there."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(timeout=60).topics
        found = sorted(partitions[topic].partitions) if topic in partitions else []
        return [_result(message) for number in found for message in _read(consumer, TopicPartition(topic, number))]
    finally:
        consumer.close()


def newest(found: Iterable[Result]) -> dict[Key, Any]:
    """What a consumer keeps that replaces a result by a later revision of it."""
    return {result.key: result.value for result in sorted(found, key=lambda result: result.revision)}


def _read(consumer: Consumer, place: TopicPartition) -> Iterator[Message]:
    low, high = ends(consumer, place.topic, place.partition)
    consumer.assign([TopicPartition(place.topic, place.partition, low)])
    position = low
    while position < high:
        batch = consumer.consume(high - position, timeout=SILENT_SECONDS)
        assert batch, f"no more records of {place.topic} after {SILENT_SECONDS:g} s"
        for message in batch:
            if message.error():
                raise KafkaException(message.error())
            position = (message.offset() or 0) + 1
            yield message


def _result(message: Message) -> Result:
    record = json.loads(message.value() or b"")
    revision = dict(message.headers() or [])["streamjob-revision"]
    text = revision.decode() if isinstance(revision, bytes) else str(revision)
    key = (record["assetId"], record["pointId"], record["time"])
    return Result(key, record["value"], tuple(map(int, text.split("."))))


def latest(redis: Redis, org_id: str, asset: str) -> dict[tuple[str, int], Any]:
    """Point and time to an asset's latest values."""
    fields = _hash(redis, f"streamjob:latest:{org_id}:{{{asset}}}")
    entries = {field.partition("::")[2]: json.loads(stored) for field, stored in fields.items()}
    return {(point, entry["time"]): entry["value"] for point, entry in entries.items()}


def device(redis: Redis, org_id: str, asset: str) -> dict[str, str]:
    """What Redis holds of a device's connection."""
    return _hash(redis, f"streamjob:state:{org_id}:{{{asset}}}")


def site(redis: Redis, org_id: str, name: str) -> dict[str, str]:
    """What Redis holds of a site."""
    return _hash(redis, f"streamjob:site:{org_id}:{{{name}}}")


def put_attributes(redis: Redis, org_id: str, asset: str, attributes: dict[str, Any]) -> None:
    """Write an asset's attributes, as the platform does."""
    for name, value in attributes.items():
        redis.hset(f"streamjob:attributes:{org_id}:{{{asset}}}", f"{MODEL}::{name}", json.dumps(value))


def _hash(redis: Redis, key: str) -> dict[str, str]:
    found: dict[Any, Any] = redis.hgetall(key)
    return {field.decode(): value.decode() for field, value in found.items()}
