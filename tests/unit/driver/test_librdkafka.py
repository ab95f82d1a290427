"""What librdkafka says of settings, without a broker."""

from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from fixtures.eventually import eventually
from streamjob_runtime.kafka_settings import Settings
from streamjob_runtime.librdkafka import AssignedConsumer
from streamjob_runtime.librdkafka_producer import Producer

AWAY: Settings = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0}
SASL: Settings = {"security.protocol": "SASL_SSL", "sasl.username": "ou", "sasl.password": "s3cret"}


@pytest.mark.parametrize(
    "settings",
    [
        {"nonsense": "1"},
        {"fetch.wait.max.ms": "many"},
        {"enable.partition.eof": "si"},
        {**SASL, "sasl.mechanism": "NONE"},
        {"security.protocol": "SSL", "ssl.key.pem": "s3cret"},
        {"security.protocol": "SSL", "ssl.ca.pem": "s3cret"},
    ],
)
def test_refused_settings_have_confluent_kafkas_words_and_no_secret(settings: Settings) -> None:
    with pytest.raises(KafkaException) as theirs:
        Consumer({**AWAY, **settings})
    with pytest.raises(KafkaException) as ours:
        AssignedConsumer({**AWAY, **settings})
    assert str(ours.value) == str(theirs.value)
    assert "s3cret" not in str(ours.value)
    with pytest.raises(KafkaException) as theirs:
        confluent_kafka.Producer({**AWAY, **settings})
    with pytest.raises(KafkaException) as ours:
        Producer({**AWAY, **settings})
    assert str(ours.value) == str(theirs.value)
    assert "s3cret" not in str(ours.value)


def test_brokers_that_are_away_are_an_error_of_kafka() -> None:
    with pytest.raises(KafkaException) as away:
        AssignedConsumer(AWAY).end_of("any", 0, 0.2)
    assert away.value.args[0].code() in {KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._TRANSPORT}


def test_a_consumer_that_nobody_needs_any_more_leaves_no_thread() -> None:
    before = threads()
    consumer = AssignedConsumer(AWAY)
    consumer.assign("any", 0, 5)
    own = threads() - before
    assert own
    del consumer
    eventually(lambda: not own & threads())


def test_a_producer_that_nobody_needs_any_more_leaves_no_thread() -> None:
    before = threads()
    producer = Producer(AWAY)
    own = threads() - before
    assert own
    assert producer.fatal_error() is None
    del producer
    eventually(lambda: not own & threads())


def threads() -> set[str]:
    """Those of librdkafka's clients."""
    return {task.name for task in Path("/proc/self/task").iterdir() if _name(task).startswith("rdk:")}


def _name(task: Path) -> str:
    try:
        return (task / "comm").read_text()
    except OSError:  # it has ended
        return ""
