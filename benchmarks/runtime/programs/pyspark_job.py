"""The work in PySpark, as a good engineer writes it: Kafka source, native windows, Kafka sink, no rows in Python."""

import argparse
import json

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

MESSAGE = "payload array<struct<assetId:string,time:bigint,measurepoints:struct<Reading:double>>>"


def readings(messages: DataFrame) -> DataFrame:
    """Asset, event time and value of each reading within the threshold."""
    items = messages.select(f.explode(f.from_json(f.col("value").cast("string"), MESSAGE)["payload"]).alias("item"))
    points = items.select(
        f.col("item.assetId").alias("asset"),
        f.timestamp_millis("item.time").alias("time"),
        f.col("item.measurepoints.Reading").alias("value"),
    )
    return points.where("value >= 0 and value < 1e6")


def windows(points: DataFrame) -> DataFrame:
    """The closed windows of each asset."""
    grouped = points.withWatermark("time", "1 minute").groupBy("asset", f.window("time", "10 minutes"))
    return grouped.agg(
        f.max("value").alias("max"),
        f.min("value").alias("min"),
        f.sum("value").alias("sum"),
        f.count("value").alias("cnt"),
    )


def records(closed: DataFrame, org_id: str, points: dict[str, str]) -> DataFrame:
    """Four messages for each window, as to_json would write them at a higher price."""

    def record(kind: str, point: str) -> Column:
        return f.concat(
            f.lit(f'{{"orgId":"{org_id}","modelId":"ElectricMeter","modelIdPath":"/ElectricMeter","assetId":"'),
            "asset",
            f.lit(f'","pointId":"{point}","time":'),
            f.unix_millis("window.start").cast("string"),
            f.lit(',"value":'),
            f.col(kind).cast("string"),
            f.lit(f',"quality":0,"attr":{{"windowAggregator":{{"calType":"{kind}","calMode":"final"}}}}}}'),
        )

    several = f.array(*(record(kind, point) for kind, point in points.items()))
    return closed.select(f.col("asset").alias("key"), f.explode(several).alias("value"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap-servers", "org-id", "input-topic", "output-topic", "checkpoint", "conf", "points"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--max-offsets", type=int, required=True, help="messages of a micro-batch")
    asked = parser.parse_args()
    builder = SparkSession.Builder()
    for name, value in json.loads(asked.conf).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    messages = (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", asked.bootstrap_servers)
        .option("subscribe", asked.input_topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", asked.max_offsets)
        .load()
    )
    sink = (
        records(windows(readings(messages)), asked.org_id, json.loads(asked.points))
        .writeStream.format("kafka")
        .outputMode("append")
        .option("kafka.bootstrap.servers", asked.bootstrap_servers)
        .option("kafka.linger.ms", 50)
        .option("kafka.compression.type", "lz4")
        .option("topic", asked.output_topic)
        .option("checkpointLocation", asked.checkpoint)
    )
    sink.start().awaitTermination()


if __name__ == "__main__":
    main()
