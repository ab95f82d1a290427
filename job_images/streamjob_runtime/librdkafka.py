"""The few functions of librdkafka by which messages are read and sent without a Python object for each.

It is the very library that confluent_kafka has loaded; all that is neither reading ranges nor sending results goes
through confluent_kafka.
"""

import ctypes
import weakref
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from typing import Any, Final

import numpy as np
from confluent_kafka import KafkaError, KafkaException, cimpl
from numpy.typing import NDArray

from streamjob_runtime.kafka_settings import Settings

_NO_CLOSE = 8  # RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE: there is no group to leave
TEXT_BYTES = 512
_code, _count, _pointer, _text = ctypes.c_int, ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_char_p
_i32, _i64, _i64_out = ctypes.c_int32, ctypes.c_int64, ctypes.POINTER(ctypes.c_int64)

_FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {  # what each returns, and then takes
    "conf_new": (_pointer,),
    "conf_set": (_code, _pointer, _text, _text, _text, ctypes.c_size_t),
    "conf_destroy": (None, _pointer),
    "new": (_pointer, _code, _pointer, _text, ctypes.c_size_t),
    "poll_set_consumer": (_code, _pointer),
    "queue_get_consumer": (_pointer, _pointer),
    "queue_destroy": (None, _pointer),
    "destroy_flags": (None, _pointer, ctypes.c_int),
    "topic_partition_list_new": (_pointer, ctypes.c_int),
    "topic_partition_list_add": (_pointer, _pointer, _text, _i32),
    "topic_partition_list_set_offset": (_code, _pointer, _text, _i32, _i64),
    "topic_partition_list_destroy": (None, _pointer),
    "assign": (_code, _pointer, _pointer),
    "consume_batch_queue": (_count, _pointer, ctypes.c_int, _pointer, ctypes.c_size_t),
    "message_destroy": (None, _pointer),
    "query_watermark_offsets": (_code, _pointer, _text, _i32, _i64_out, _i64_out, ctypes.c_int),
    "last_error": (_code,),
    "conf_set_dr_msg_cb": (None, _pointer, _pointer),
    "produceva": (_pointer, _pointer, _pointer, ctypes.c_size_t),
    "error_code": (_code, _pointer),
    "error_destroy": (None, _pointer),
    "poll": (ctypes.c_int, _pointer, ctypes.c_int),
    "flush": (_code, _pointer, ctypes.c_int),
    "purge": (_code, _pointer, ctypes.c_int),
    "outq_len": (ctypes.c_int, _pointer),
    "fatal_error": (_code, _pointer, _text, ctypes.c_size_t),
}


class Kind(IntEnum):
    """``rd_kafka_type_t``."""

    PRODUCER = 0
    CONSUMER = 1


class Message(ctypes.Structure):
    """``rd_kafka_message_t``.

    ``value`` of one that was polled with an error is the error's text; ``own`` is the sender's, of one that was sent.
    """

    _fields_ = (
        ("error", ctypes.c_int),
        ("topic", ctypes.c_void_p),
        ("partition", ctypes.c_int32),
        ("value", ctypes.c_void_p),
        ("value_bytes", ctypes.c_size_t),
        ("key", ctypes.c_void_p),
        ("key_bytes", ctypes.c_size_t),
        ("offset", ctypes.c_int64),
        ("own", ctypes.c_void_p),
    )


class AssignedConsumer:
    """A consumer of one partition at a time, which is told where to read. Not to be made before a fork."""

    def __init__(self, settings: Settings) -> None:
        """Connect in the background.

        Raises:
            KafkaException: librdkafka does not take the settings.
        """
        self._handle = new_client(Kind.CONSUMER, settings)
        checked(call("poll_set_consumer")(self._handle))
        self._queue = call("queue_get_consumer")(self._handle)
        weakref.finalize(self, _destroy, self._handle, self._queue)

    def assign(self, topic: str, partition: int, offset: int) -> None:
        """Read this partition, from this offset."""
        place = topic.encode(), partition
        partitions = call("topic_partition_list_new")(1)
        try:
            call("topic_partition_list_add")(partitions, *place)
            checked(call("topic_partition_list_set_offset")(partitions, *place, offset))
            checked(call("assign")(self._handle, partitions))
        finally:
            call("topic_partition_list_destroy")(partitions)

    def unassign(self) -> None:
        """Read nothing."""
        checked(call("assign")(self._handle, None))

    def consume(self, most: int, seconds: float) -> NDArray[np.uintp]:
        """Wait for so many messages or seconds; returns their addresses, which are the caller's to destroy."""
        pointers = np.empty(most, np.uintp)
        count = int(call("consume_batch_queue")(self._queue, round(seconds * 1000), pointers.ctypes.data, most))
        if count < 0:
            checked(call("last_error")())
        return pointers[: max(0, count)]

    def end_of(self, topic: str, partition: int, seconds: float) -> int:
        """Ask the brokers where a partition ends.

        Raises:
            KafkaException: they do not tell in time.
        """
        low, high = ctypes.c_int64(), ctypes.c_int64()
        milliseconds = round(seconds * 1000)
        checked(
            call("query_watermark_offsets")(
                self._handle, topic.encode(), partition, ctypes.byref(low), ctypes.byref(high), milliseconds
            )
        )
        return high.value


@cache
def call(name: str) -> Callable[..., Any]:
    """``rd_kafka_<name>``."""
    # The module's own dependencies are searched, too: no name of a file needs to be known.
    function = getattr(ctypes.CDLL(cimpl.__file__), f"rd_kafka_{name}")
    function.restype, *function.argtypes = _FUNCTIONS[name]
    return function  # type: ignore[no-any-return]


def new_client(kind: Kind, settings: Settings, on_report: Any = None) -> int:
    """Connect in the background.

    Args:
        kind: of client.
        settings: librdkafka's.
        on_report: a function of ctypes, called with delivery reports; it has to outlive the client.

    Raises:
        KafkaException: librdkafka does not take the settings.
    """
    text = ctypes.create_string_buffer(TEXT_BYTES)
    configuration = call("conf_new")()
    try:
        for name, value in settings.items():
            written = str(value).lower() if isinstance(value, bool) else str(value)
            if call("conf_set")(configuration, name.encode(), written.encode(), text, TEXT_BYTES):
                raise KafkaException(KafkaError(KafkaError._INVALID_ARG, text.value.decode(errors="replace")))
        if on_report is not None:
            call("conf_set_dr_msg_cb")(configuration, on_report)
        handle = call("new")(kind, configuration, text, TEXT_BYTES)
        if not handle:
            words = text.value.decode(errors="replace")
            raise KafkaException(KafkaError(call("last_error")(), f"Failed to create {kind.name.lower()}: {words}"))
    except BaseException:
        call("conf_destroy")(configuration)
        raise
    return int(handle)  # which has taken the configuration over


def checked(code: int) -> None:
    """Raise the ``KafkaException`` of a code that is not 0."""
    if code:
        raise KafkaException(KafkaError(code))


def _destroy(handle: int, queue: int) -> None:
    call("queue_destroy")(queue)
    call("destroy_flags")(handle, _NO_CLOSE)
