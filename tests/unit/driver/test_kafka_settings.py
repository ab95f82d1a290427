"""librdkafka's settings from a connection and its mounted secret."""

from pathlib import Path

from streamjob_api.connections import Kafka
from streamjob_runtime.consumers import consumer_settings
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.sinks.kafka import producer_settings

KAFKA = Kafka.model_validate({"bootstrapServers": "kafka:9092"})


def secret(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(f"{text}\n")
    return folder


def test_without_a_secret_the_connection_is_plain(tmp_path: Path) -> None:
    assert "security.protocol" not in client_settings(KAFKA, tmp_path, "c")


def test_a_kafka_users_secret_fits_as_it_is(tmp_path: Path) -> None:
    folder = secret(tmp_path, username="ou", password="s3cret", ca_crt="CA", user_crt="CRT", user_key="KEY")  # noqa: S106
    settings = client_settings(KAFKA, folder, "c")
    assert settings["security.protocol"] == "SASL_SSL"
    assert (settings["sasl.username"], settings["sasl.password"]) == ("ou", "s3cret")
    assert settings["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (settings["ssl.ca.pem"], settings["ssl.certificate.pem"], settings["ssl.key.pem"]) == ("CA", "CRT", "KEY")


def test_tls_without_a_user(tmp_path: Path) -> None:
    assert client_settings(KAFKA, secret(tmp_path, ca_crt="CA"), "c")["security.protocol"] == "SSL"


def test_properties_of_the_resource_come_last_but_not_over_what_correctness_needs(tmp_path: Path) -> None:
    kafka = Kafka.model_validate({"bootstrapServers": "k:9092", "properties": {"fetch.wait.max.ms": "7"}})
    assert consumer_settings(kafka, tmp_path)["fetch.wait.max.ms"] == "7"
    assert consumer_settings(kafka, tmp_path)["auto.offset.reset"] == "error"
    assert producer_settings(kafka, tmp_path)["enable.idempotence"] is True
