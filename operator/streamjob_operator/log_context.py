"""Of which job's turn a log line is: set once for each turn, added to every line of it, errors of the queue too."""

import logging
from contextvars import ContextVar

_TURN: ContextVar[dict[str, object] | None] = ContextVar("turn", default=None)


def enter(**facts: object) -> None:
    """From now on, lines of this worker are of this turn; facts that are None are left out."""
    _TURN.set({name: fact for name, fact in facts.items() if fact is not None})


def note(**facts: object) -> None:
    """What else is known of the turn by now."""
    _TURN.set({**(_TURN.get() or {}), **facts})


class OfTurn(logging.Filter):
    """Adds the turn's facts to each record; what the line itself says of them wins."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        for name, fact in (_TURN.get() or {}).items():
            if name not in record.__dict__:
                setattr(record, name, fact)
        return True
