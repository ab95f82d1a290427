"""A pipeline that asks another host, on a real Spark session and Kafka."""

import json
from pathlib import Path

from pyspark.sql import SparkSession

from fixtures.http_host import Host
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import send, texts
from fixtures.spark import running

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def test_each_asset_is_asked_about_once_and_what_fails_is_a_dead_letter(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    with Host.serving() as host:
        job = make_job(tmp_path, kafka, None)
        parameters = {
            "input": "Meter::Reading",
            "output": "Meter::Limit",
            "url": f"http://{host.name}/${{record::assetId}}",
            "result": "data.limit",
            "as": "value",
        }
        stage = {"name": "ask", "calculator": "internal-http-client", "from": ["source"], "parameters": parameters}
        job.run_stages(stage, http={"hosts": [host.name]})
        with running(spark, job) as run:
            send(kafka, job, [(name, "Meter::Reading", START + n, n) for n in range(5) for name in ("m1", "m2", "no")])
            run.read_everything()
        sent = [json.loads(message.value() or b"") for message in kafka.read_all(job.file.output_topic)]
    assert sorted((each["assetId"], each["time"] - START, each["value"]) for each in sent) == [
        (name, number, 7.5) for name in ("m1", "m2") for number in range(5)
    ]
    assert {"GET /m1", "GET /m2"} <= {*host.asked}
    assert len([each for each in host.asked if each != "GET /no"]) == 2
    letters = kafka.read_all(job.file.dead_letter_topic)
    assert {texts(letter)["detail"] for letter in letters} == {"the host answered 404"}
    assert len(letters) == run.accounts.counted["failed"] == 5
