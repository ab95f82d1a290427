"""What a preview tells of lines and records beside the results: counts, and the lines that could not be used."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from streamjob_runtime.messages import Decoded

_FIRST_LINES = 5
_FIRST_INPUTS = 4
_TOLD = {"messages", "bytes", "records", "late", "outside", "filtered", "unused", "intermediate"}


@dataclass
class Bad:
    """Lines that are bad for one reason.

    Attributes:
        count: messages that are malformed, or values that were refused.
        lines: the numbers of the first few lines.
        detail: of the first one.
    """

    count: int = 0
    lines: list[int] = field(default_factory=list)
    detail: str = ""


@dataclass
class Findings:
    """Bad lines by kind (``malformed``, ``refused``) and reason."""

    bad: dict[tuple[str, str], Bad] = field(default_factory=dict)

    def add(self, decoded: Decoded, numbers: Sequence[int]) -> None:
        """Take note of a batch whose lines have these numbers."""
        for message, reason, detail in decoded.malformed.iter_rows():
            self._note("malformed", reason, numbers[message], detail)
        for message, reason in decoded.refusals.sort("message", maintain_order=True).iter_rows():
            self._note("refused", reason, numbers[message], "")

    def _note(self, kind: str, reason: str, line: int, detail: str) -> None:
        bad = self.bad.setdefault((kind, reason), Bad(detail=detail))
        bad.count += 1
        if len(bad.lines) < _FIRST_LINES and line not in bad.lines:
            bad.lines.append(line)


def summary(counted: Counter[str], findings: Findings, inputs: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the account: what was read, what became of it, which lines were bad."""
    refused, malformed = _sum(counted, "refused"), _sum(counted, "malformed")
    used = counted["records"] - refused - counted["intermediate"]
    yield _row("read", counted["messages"], "lines")
    yield _row("used", used, f"values of {_named(inputs)}")
    yield _row("late", counted["late"], "of these, once for each calculation that they came too late for")
    yield _row("outside", counted["outside"], "of these, for each threshold that they are outside of")
    yield _row("refused", refused, "values that cannot be used")
    yield _row("malformed", malformed, "lines that cannot be read")
    yield _row("filtered", counted["filtered"], "values of assets that the job leaves out")
    yield _row("unused", counted["unused"], "values of points that the job does not read")
    if counted["intermediate"]:
        yield _row("intermediate", counted["intermediate"], "results that may still change, left out with finalOnly")
    for name in sorted(counted.keys() - _TOLD):
        if counted[name] and "." not in name:
            yield _row(name, counted[name], "as the page of the template or calculator explains")
        elif counted[name] and name.startswith("stage."):
            yield _row(name.removeprefix("stage."), counted[name], "as the calculator's page explains")
    for (kind, reason), bad in sorted(findings.bad.items()):
        yield _described(kind, reason, bad)
    if findings.bad:
        yield "The reasons are explained in docs/messages.md."
    if counted["messages"] and not counted["records"] and not counted["filtered"]:
        yield f"No line has a point that the job reads: {_named(inputs)}."


def _named(inputs: Sequence[str]) -> str:
    more = len(inputs) - _FIRST_INPUTS
    return ", ".join(inputs[:_FIRST_INPUTS]) + (f" and {more} more" if more > 0 else "")


def _row(name: str, count: int, unit: str) -> str:
    return f"{name} {count:>{max(21 - len(name), 1)},}  {unit}"


def _described(kind: str, reason: str, bad: Bad) -> str:
    lines = ", ".join(map(str, bad.lines))
    where = f"line {lines}" if len(bad.lines) == 1 else f"lines {lines}"
    more = ", ..." if bad.count > len(bad.lines) else ""
    return f"{kind} {reason}: {bad.count:,} ({where}{more})" + (f", {bad.detail}" if bad.detail else "")


def _sum(counted: Counter[str], kind: str) -> int:
    return sum(count for name, count in counted.items() if name.startswith(f"{kind}."))
