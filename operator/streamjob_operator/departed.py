"""UIDs of what was seen to be gone: none of them returns, but an answer that was under way may still show it."""

# Far more than go while an answer is under way; the oldest are forgotten first.
_REMEMBERED = 20_000


class Departed:
    """The last UIDs that went."""

    def __init__(self) -> None:
        self._uids: dict[str, None] = {}

    def add(self, uid: str) -> None:
        """Remember that this one is gone."""
        self._uids[uid] = None
        if len(self._uids) > _REMEMBERED:
            del self._uids[next(iter(self._uids))]

    def __contains__(self, uid: str) -> bool:
        return uid in self._uids
