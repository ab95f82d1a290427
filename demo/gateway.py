"""An IoT gateway: sends meters' readings to the OU's Origin topic as devices' payloads, at an accelerated rate."""

import time
from collections.abc import Callable, Iterator

import polars as pl
from confluent_kafka import KafkaException, Producer

CHUNK = 5_000
MODEL = "ElectricMeter"


def messages(readings: pl.DataFrame, org_id: str) -> pl.DataFrame:
    """Encode readings as Origin messages: one payload with the register and the present power of one meter.

    Returns:
        ``asset str, message str``, in the order of ``readings``.
    """
    power = (pl.col("reading").diff().over("asset").fill_null(0.0).clip(0.0) * 12).round(3)
    points = pl.struct(Reading="reading", Power=power)
    payload = pl.concat_list(pl.struct(assetId="asset", time="time", measurepoints=points))
    message = pl.struct(orgId=pl.lit(org_id), modelId=pl.lit(MODEL), modelIdPath=pl.lit(f"/{MODEL}"), payload=payload)
    return readings.select("asset", message=message.struct.json_encode())


def send(
    producer: Producer,
    topic: str,
    encoded: pl.DataFrame,
    records_per_second: float,
    on_sent: Callable[[int], None],
) -> None:
    """Send ``asset, message`` rows in order, keyed by asset, no faster than asked.

    Raises:
        KafkaException: when the broker refused a message.
        TimeoutError: when it does not answer.
    """
    started = time.monotonic()
    sent = 0
    refused: list[str] = []
    for chunk in _chunks(encoded):
        for asset, message in chunk.iter_rows():
            producer.produce(
                topic, message, asset, on_delivery=lambda error, _: refused.append(str(error)) if error else None
            )
        if waiting := producer.flush(60):
            raise TimeoutError(f"{topic}: {waiting} messages were not acknowledged within 60 s")
        if refused:
            raise KafkaException(f"{topic}: {len(refused)} messages were refused; first: {refused[0]}")
        sent += chunk.height
        on_sent(chunk.height)
        time.sleep(max(0.0, sent / records_per_second - (time.monotonic() - started)))


def _chunks(encoded: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for offset in range(0, encoded.height, CHUNK):
        yield encoded.slice(offset, CHUNK)
