"""Calls of a script in Redis, one for each key, written column by column: the client's own way costs 8 us a call."""

from pathlib import Path
from typing import Any, Self

import polars as pl
from redis import Redis

# What a script is called with: how many arguments, and these as Redis' protocol (RESP) writes them.
CALLS = pl.Schema({"key": pl.String(), "count": pl.UInt32(), "arguments": pl.String()})
# Redis reads what is sent before all of it is answered; more at once would only take its memory.
_CALLS_AT_ONCE = 1_000
_SHA_LENGTH = 40


class Script:
    """A script that takes one key."""

    def __init__(self, client: "Redis", text: str) -> None:
        self._client = client
        self._text = text

    @classmethod
    def beside(cls, client: "Redis", module: str, name: str) -> Self:
        """Return the script in a file beside a module."""
        return cls(client, Path(module).with_name(name).read_text())

    def call(self, calls: pl.DataFrame) -> None:
        """Call it once for each row of CALLS, in order.

        Raises:
            RedisError: Redis is away, or refuses a call; some of them may have been made.
        """
        if not calls.height:
            return
        packed = packed_calls(calls, self._client.script_load(self._text))
        connection: Any = self._client.connection_pool.get_connection()
        try:
            unread = 0
            for part in packed.to_frame().iter_slices(_CALLS_AT_ONCE):
                connection.send_packed_command(["".join(part.to_series()).encode()])
                # Redis makes the next calls while the answers to those before are read.
                _read_answers(connection, unread)
                unread = part.height
            _read_answers(connection, unread)
        except BaseException:
            connection.disconnect()  # answers that nobody has read would be taken for those of the next call
            raise
        finally:
            self._client.connection_pool.release(connection)


def _read_answers(connection: Any, count: int) -> None:
    for _ in range(count):
        connection.read_response()


def arguments_of(*texts: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return ``count`` and ``arguments`` of CALLS with these arguments; none of them may be null."""
    return pl.lit(len(texts), pl.UInt32).alias("count"), pl.concat_str(map(_bulk, texts)).alias("arguments")


def packed_calls(calls: pl.DataFrame, sha: str) -> pl.Series:
    """Return each row of CALLS as a command in Redis' protocol, whose parts tell their lengths in bytes."""
    head = f"\r\n$7\r\nEVALSHA\r\n${_SHA_LENGTH}\r\n{sha}\r\n$1\r\n1\r\n"
    command = pl.concat_str(pl.lit("*"), pl.col("count") + 4, pl.lit(head), _bulk(pl.col("key")), "arguments")
    return calls.select(command.alias("command")).to_series()


def _bulk(text: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("$"), text.str.len_bytes(), pl.lit("\r\n"), text, pl.lit("\r\n"))
