"""A line in which every OU moves: keys wait by lane, and the lanes take turns."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class FairLine(Generic[KeyT]):
    """Keys in the order of their coming within a lane; a long lane does not hold up the others."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[KeyT]] = {}  # in the order of their next turn

    def push(self, lane: str, key: KeyT) -> None:
        """Put a key at the end of its lane."""
        self._lanes.setdefault(lane, deque()).append(key)

    def pop(self, may: Callable[[str], bool]) -> tuple[str, KeyT] | None:
        """The next key of the first lane that may move, which then is the last in turn; None if none may."""
        lane = next(filter(may, self._lanes), None)
        if lane is None:
            return None
        keys = self._lanes.pop(lane)
        key = keys.popleft()
        if keys:
            self._lanes[lane] = keys
        return lane, key
