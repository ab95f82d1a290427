"""The runtime and other engines on the same topic: CPU for each message, rate and memory, all results verified.

    make bench-runtime [ARGS="--messages 600000 --runs 1 --contestants streamjob,pyspark"]

Each contestant does the same work alone: ten-minute windows of 10,000 meters, max, min, sum and count, from Kafka to
Kafka. It does so on two backlogs; what the larger one takes more is the steady figure. Runs go to runs.jsonl in the
folder: the same command goes on where it was broken off, and --tables makes tables and plot of that file alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.runtime.contestant import Contestant
from benchmarks.runtime.contestants import BY_KEY
from benchmarks.runtime.contestants.streamjob_pod import StreamjobPod, node_address
from benchmarks.runtime.figures import figures
from benchmarks.runtime.measuring import measure
from benchmarks.runtime.plot import draw
from benchmarks.runtime.report import report
from benchmarks.runtime.rounds import Turn
from benchmarks.runtime.runs import Run, RunsFile
from benchmarks.runtime.stage import Stage, stage
from benchmarks.runtime.table import markdown, table
from localcluster.progress import Progress
from localcluster.providers import choose


def main() -> None:
    asked = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing is left running, as on Ctrl-C
    with tempfile.TemporaryDirectory(prefix="bench-runtime-") as own:
        folder = (asked.folder or Path(own)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        file = RunsFile(folder / "runs.jsonl")
        with _chosen(asked) as (contestants, host):
            turns = list(Turn.all_of(contestants, asked.runs, asked.messages, asked.meters))
            if not asked.tables:
                _make(turns, file, folder, host, Progress())
        runs = file.read()
    _tell([of_turn[-1] for turn in turns if (of_turn := list(filter(turn.is_of, runs)))], contestants, asked)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-runtime", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=_positive, default=6_000_000, help="of the fastest contestants' backlog")
    parser.add_argument("--meters", type=_positive, default=10_000)
    parser.add_argument("--runs", type=_positive, default=5, help="rounds of all contestants")
    parser.add_argument(
        "--contestants", type=_contestants, default=list(BY_KEY), metavar="NAMES", help=f"of {','.join(BY_KEY)}"
    )
    parser.add_argument("--pod", action="store_true", help="streamjob as a pod of the image that ships")
    parser.add_argument("--folder", type=Path, help="where runs.jsonl, logs and Kafka's data are kept")
    parser.add_argument("--tables", action="store_true", help="make no runs: tell what runs.jsonl of the folder says")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables of the docs there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the plot there, an SVG")
    asked = parser.parse_args()
    if asked.tables and not (asked.folder and (asked.folder / "runs.jsonl").exists()):
        parser.error("--tables needs --folder with the runs.jsonl of former runs")
    return asked


def _positive(text: str) -> int:
    number = int(text.replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def _contestants(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in BY_KEY]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(BY_KEY)}")
    return names


@contextmanager
def _chosen(asked: argparse.Namespace) -> Iterator[tuple[list[Contestant], str]]:
    """The contestants, and the broker's address, which with ``--pod`` is one that pods reach."""
    contestants = [BY_KEY[name] for name in asked.contestants]
    if not asked.pod:
        yield contestants, "127.0.0.1"
        return
    with choose() as cluster:
        pod = StreamjobPod(cluster)
        yield [pod if one.facts.key == pod.facts.key else one for one in contestants], node_address(cluster)


def _make(turns: Sequence[Turn], file: RunsFile, folder: Path, host: str, progress: Progress) -> None:
    """Make every run that the file does not have."""
    made = file.read()
    missing = [turn for turn in turns if not turn.is_made(made)]
    if len(missing) < len(turns):
        progress.say(f"{len(turns) - len(missing)} of {len(turns)} runs are in {folder / 'runs.jsonl'}")
    if not missing:
        return
    for contestant in {turn.contestant.facts.key: turn.contestant for turn in missing}.values():
        with progress.step(f"Prepare {contestant.facts.title}"):
            contestant.prepare()
    broker = folder / "broker"
    shutil.rmtree(broker, ignore_errors=True)
    broker.mkdir()
    with stage(broker, host) as set_stage:
        for load in {turn.load for turn in missing}:
            with progress.step(f"Fill a topic with {load.messages:,} messages"):
                set_stage.org_of(load)
        for count, turn in enumerate(missing, 1):
            _take(turn, set_stage, file, folder, progress, f"{count}/{len(missing)} ")
    shutil.rmtree(broker)


def _take(turn: Turn, set_stage: Stage, file: RunsFile, folder: Path, progress: Progress, which: str) -> None:
    """Make one run; its logs stay, its state goes."""
    own = folder / "run"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    with progress.step(f"{which}{turn}") as step:
        run = measure(turn.contestant, set_stage, turn.load, turn.number, own, step)
        step.has_failed = bool(run.fault)
    log = own / "log"
    if log.exists():
        log.rename(folder / f"{turn.contestant.facts.key}-{turn.number}-{turn.load.messages}.log")
    shutil.rmtree(own)
    file.add(run)
    progress.say(_line(run))


def _line(run: Run) -> str:
    if run.fault:
        return f"  REFUSED: {run.fault[:1500]}"
    per_million = run.cpu_seconds / run.messages * 1e6
    return (
        f"  {run.seconds:.1f} s, {run.cpu_seconds:.1f} CPU s ({per_million:.1f} per million), {run.peak_mib} MiB,"
        f" {run.results:,} results right, {run.repeated} repeated"
    )


def _tell(runs: Sequence[Run], contestants: Sequence[Contestant], asked: argparse.Namespace) -> None:
    found, facts = figures(runs), [contestant.facts for contestant in contestants]
    Console(width=160 if not sys.stdout.isatty() else None).print(table(found, facts))
    if asked.markdown:
        asked.markdown.write_text(markdown(found, facts) + "\n")
    if asked.plot:
        draw(found, facts, asked.plot)
    for fact in facts:
        if fact.key not in found:
            print(f"{fact.title}: no figures, its runs were refused or too short to compare", file=sys.stderr)
    told = report(found, facts, runs, asked.messages, asked.meters)
    print(json.dumps(told))
    if told["refused"] or set(found) != set(asked.contestants):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
