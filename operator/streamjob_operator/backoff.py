"""How long to wait before trying again."""

import hashlib


def delay_seconds(failures: int, first: float, longest: float, key: str) -> float:
    """Exponential back-off with jitter.

    Args:
        failures: how often it failed in a row; 1 after the first failure.
        key: what is retried. The jitter comes from it, not from chance, so that asking twice gives the same answer.

    Returns:
        Seconds between three quarters of, and the whole of, ``min(longest, first * 2 ** (failures - 1))``.
    """
    if failures <= 0:
        return 0.0
    # 2 ** 30 is past every longest wait; the cap keeps a long outage from overflowing.
    whole = min(longest, first * 2.0 ** min(failures - 1, 30))
    return float(whole) * (1 - fraction(f"{key}/{failures}") / 4)


def fraction(key: str) -> float:
    """A number in [0, 1) that the key alone decides: the same whenever asked, spread evenly over keys."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2.0**32
