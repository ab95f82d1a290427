"""The test platform's Kafka and Redis as manifests."""

from __future__ import annotations

from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent
EXTERNAL_PORT = 39092
"""Where clients on this machine reach the broker, once that port is forwarded to port 9094 of the Service."""


def kafka(image: str, external_port: int = EXTERNAL_PORT) -> str:
    """StatefulSet and Service ``kafka``: ``kafka:9092`` for pods of the namespace."""
    return _rendered("kafka", IMAGE=image, EXTERNAL_PORT=str(external_port))


def redis(image: str) -> str:
    """StatefulSet and Service ``redis``: ``redis:6379`` for pods of the namespace."""
    return _rendered("redis", IMAGE=image)


def _rendered(name: str, **values: str) -> str:
    return Template((FOLDER / name / "manifests.yaml").read_text()).substitute(values)
