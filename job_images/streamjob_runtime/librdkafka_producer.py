"""A producer of librdkafka whose messages are known by number."""

import ctypes
import weakref
from functools import cache
from typing import Any, NamedTuple

from confluent_kafka import KafkaError

from streamjob_runtime.kafka_settings import Settings
from streamjob_runtime.librdkafka import TEXT_BYTES, Kind, Message, call, new_client

_QUEUED_AND_IN_FLIGHT = 3  # RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT
_LARGEST_FAST_CHUNK = 1  # M_MXFAST
_Report = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Message), ctypes.c_void_p)


class Failure(NamedTuple):
    """A message that was not delivered: the number that it was sent with, and the code of a ``KafkaError``."""

    number: int
    code: int


class Producer:
    """Sends what ``kafka_results`` hands it. Not to be made before a fork."""

    def __init__(self, settings: Settings) -> None:
        """Connect in the background; the settings have to ask for delivery reports of failures alone.

        Raises:
            KafkaException: librdkafka does not take the settings.
        """
        _use_no_fast_chunks()
        self._failures: list[Failure] = []
        on_report = _noting(self._failures)
        self.handle = new_client(Kind.PRODUCER, settings, on_report)
        weakref.finalize(self, _destroy, self.handle, on_report)

    def __len__(self) -> int:
        """How many messages wait to be sent, to be acknowledged or to be told as failures."""
        return int(call("outq_len")(self.handle))

    def poll(self, seconds: float) -> None:
        """Wait for so long, less where failures come in."""
        call("poll")(self.handle, round(seconds * 1000))

    def flush(self, seconds: float) -> bool:
        """Wait for so long, less where nothing is left to wait for; returns whether that is so."""
        call("flush")(self.handle, round(seconds * 1000))
        return len(self) == 0

    def purge(self) -> None:
        """Let all messages fail."""
        call("purge")(self.handle, _QUEUED_AND_IN_FLIGHT)

    def take_failures(self) -> list[Failure]:
        """Those that poll and flush have brought since the last call."""
        taken = self._failures.copy()
        self._failures.clear()
        return taken

    def fatal_error(self) -> KafkaError | None:
        """What has ended this producer for good."""
        text = ctypes.create_string_buffer(TEXT_BYTES)
        code = call("fatal_error")(self.handle, text, TEXT_BYTES)
        return KafkaError(code, text.value.decode(errors="replace"), fatal=True) if code else None


@cache
def _use_no_fast_chunks() -> None:
    """Let glibc merge small chunks as they are freed.

    A message's headers are small, and large ones are freed between them: each of these would make glibc go through all
    small ones. It is a third of what sending a message costs, in librdkafka's thread and in ours, which waits for it.
    """
    ctypes.CDLL(None).mallopt(_LARGEST_FAST_CHUNK, 0)


def _noting(failures: list[Failure]) -> Any:
    """Called in poll and flush, in their thread; knows nothing of the producer, so that this can go."""

    def note(_producer: int, message: Any, _own: int) -> None:
        if message.contents.error:
            failures.append(Failure(message.contents.own or 0, message.contents.error))

    return _Report(note)


def _destroy(handle: int, _on_report: Any) -> None:
    call("destroy_flags")(handle, 0)
