"""From a job's connection and its mounted secret to librdkafka's settings."""

from pathlib import Path

from streamjob_api.connections import Kafka

# Fits the slowest thing that is waited for, and lets a client notice within seconds that a broker is back.
_RECONNECT = {"reconnect.backoff.ms": 100, "reconnect.backoff.max.ms": 2000}

Settings = dict[str, str | int | float | bool]


def client_settings(kafka: Kafka, auth_dir: Path, client_id: str) -> Settings:
    """What every client of the OU's brokers has in common."""
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "client.id": client_id,
        "log_level": 0,  # what clients meet is told as a reason to wait, not in a log of another form
        "socket.keepalive.enable": True,
        **_RECONNECT,
        **_security(auth_dir),
        **kafka.properties,
    }


def _security(auth_dir: Path) -> Settings:
    """Settings from the files of a secret; the names are those of a Strimzi KafkaUser's secret."""
    settings: Settings = {}
    uses_sasl, uses_tls = (auth_dir / "username").exists(), False
    if uses_sasl:
        settings["sasl.username"] = _text(auth_dir / "username")
        settings["sasl.password"] = _text(auth_dir / "password")
        settings["sasl.mechanism"] = _text(auth_dir / "sasl.mechanism", default="SCRAM-SHA-512")
    for file, name in (
        ("ca.crt", "ssl.ca.pem"),
        ("user.crt", "ssl.certificate.pem"),
        ("user.key", "ssl.key.pem"),
    ):
        if (auth_dir / file).exists():
            settings[name] = _text(auth_dir / file)
            uses_tls = True
    if uses_sasl or uses_tls:
        settings["security.protocol"] = f"{'SASL_' if uses_sasl else ''}{'SSL' if uses_tls else 'PLAINTEXT'}"
    return settings


def _text(path: Path, default: str = "") -> str:
    return path.read_text().strip() if path.exists() else default
