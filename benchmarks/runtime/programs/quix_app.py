"""The work in Quix Streams: each of several processes of one consumer group runs this."""

import argparse
from typing import Any

import orjson  # type: ignore[import-not-found]
from quixstreams import Application  # type: ignore[import-not-found]

from benchmarks.runtime.contestant import BEYOND, INPUT_POINT, LOWEST, SAVED_EVERY_SECONDS, WINDOW_MS
from benchmarks.runtime.programs.cal_records import records

Point = dict[str, Any]
Window = list[float]
"""In the order of the records' points: max, min, sum and count."""


def points(message: bytes) -> list[Point]:
    """The readings of a message that lie within the threshold."""
    items = orjson.loads(message)["payload"]
    found = ({"time": item["time"], "value": item["measurepoints"].get(INPUT_POINT)} for item in items)
    return [point for point in found if point["value"] is not None and LOWEST <= point["value"] < BEYOND]


def event_time(point: Point, *_: Any) -> int:
    time_ms: int = point["time"]
    return time_ms


def opened(point: Point) -> Window:
    value = point["value"]
    return [value, value, value, 1]


def fold(window: Window, point: Point) -> Window:
    value = point["value"]
    highest, lowest, total, count = window
    higher = value if value > highest else highest  # noqa: FURB136 (twice as fast as max)
    lower = value if value < lowest else lowest  # noqa: FURB136
    return [higher, lower, total + value, count + 1]


def application(asked: argparse.Namespace) -> Application:
    app = Application(
        broker_address=asked.bootstrap_servers,
        consumer_group=asked.output_topic,  # new for each run, which begins at the topic's begin
        auto_offset_reset="earliest",
        commit_interval=SAVED_EVERY_SECONDS,
        commit_every=0,
        state_dir=asked.state,
        producer_extra_config={"linger.ms": 50, "compression.type": "lz4"},
        loglevel="WARNING",
    )
    readings = app.topic(asked.input_topic, key_deserializer="str", value_deserializer="bytes")
    results = app.topic(asked.output_topic, key_serializer="str", value_serializer="bytes")
    frame = app.dataframe(readings).apply(points, expand=True).set_timestamp(event_time)
    windows = frame.tumbling_window(WINDOW_MS, grace_ms=0, name="windows")
    # four aggregators side by side, agg(max=Max(...), ...), cost a third more
    closed = windows.reduce(reducer=fold, initializer=opened).final("partition")

    def of_window(window: dict[str, Any], key: str, *_: Any) -> list[bytes]:
        return records(asked.org_id, key, window["start"], window["value"])

    closed.apply(of_window, expand=True, metadata=True).to_topic(results)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap-servers", "org-id", "input-topic", "output-topic", "state"):
        parser.add_argument(f"--{name}", required=True)
    application(parser.parse_args()).run()


if __name__ == "__main__":
    main()
