"""Records per second over windows from a minute to a day, from what each micro-batch counted."""

from collections import deque

from streamjob_api.progress import THROUGHPUT_WINDOWS, Rates

# Counts are kept by steps of this length: 5,760 of them hold a day.
_STEP_SECONDS = 15


class Throughput:
    """Messages read and results written, by time."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._steps: deque[tuple[int, int, int]] = deque(maxlen=86_400 // _STEP_SECONDS + 1)

    def add(self, now: float, messages: int, out: int) -> None:
        """Count a micro-batch."""
        step = int(now // _STEP_SECONDS)
        if self._steps and self._steps[-1][0] == step:
            _, held_messages, held_out = self._steps.pop()
            messages, out = messages + held_messages, out + held_out
        self._steps.append((step, messages, out))

    def rates(self, now: float) -> dict[str, Rates]:
        """The mean of each window; null until the driver has run that long."""
        return {
            name: self._mean(now, seconds) if now - self._started_at >= seconds else Rates()
            for name, seconds in THROUGHPUT_WINDOWS.items()
        }

    def _mean(self, now: float, seconds: int) -> Rates:
        first = -((seconds - now) // _STEP_SECONDS)  # the first step that lies in the window as a whole
        messages = out = 0
        for step, step_messages, step_out in reversed(self._steps):
            if step < first:
                break
            messages, out = messages + step_messages, out + step_out
        covered = now - first * _STEP_SECONDS
        return Rates(messages=round(messages / covered, 2), out=round(out / covered, 2))
