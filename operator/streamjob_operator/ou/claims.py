"""Claims on an OU's capacity: what its jobs want, what they and their pods hold, what was granted before. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.resources import RunningMode
from streamjob_api.status import Holdings, StreamResourceStatus
from streamjob_operator.jobs import memory
from streamjob_operator.ledger import Claim, Holder, Ledger
from streamjob_operator.observed import Job, Pod
from streamjob_operator.validation import Refusal, Runnable

ByHolder = Mapping[Holder, float]


@dataclass(frozen=True)
class Held:
    """What is held of one pool, before a pass.

    Args:
        live: CU of live pods.
        granted: CU that jobs were admitted with.
        leaving: CU that were withdrawn and are not free yet.
        checked: who was looked at live since then.
    """

    live: ByHolder = field(default_factory=dict)
    granted: ByHolder = field(default_factory=dict)
    leaving: ByHolder = field(default_factory=dict)
    checked: Collection[Holder] = ()

    def claim(self, holder: Holder, **asked: object) -> Claim:
        """The claim of a holder, with what it asks for."""
        return Claim(
            holder,
            live=self.live.get(holder, 0),
            granted=self.granted.get(holder, 0),
            leaving=self.leaving.get(holder, 0),
            is_checked=holder in self.checked,
            **asked,  # type: ignore[arg-type]
        )

    @property
    def holders(self) -> set[Holder]:
        """Everyone who holds something."""
        return {*self.live, *self.granted, *self.leaving}

    @property
    def unexpected(self) -> set[Holder]:
        """Who has more live pods than it was granted, by what the cache shows."""
        return {
            holder
            for holder, live in self.live.items()
            if live > self.granted.get(holder, 0) + self.leaving.get(holder, 0)
        }


def held(
    mode: RunningMode,
    drivers: Iterable[Pod],
    executors: Iterable[Pod],
    status: StreamResourceStatus,
    checked: Collection[Holder] = (),
) -> Held:
    """What is held of a pool.

    A driver's CU are those of its whole job, be its executors up or not; executors count where no driver lives.
    """
    live: dict[Holder, float] = {}
    for pod in drivers:
        if not pod.finished and pod.mode is mode:
            holder = Holder.of(pod.job, pod.job_uid)
            live[holder] = live.get(holder, 0) + pod.cu
    left: dict[Holder, float] = {}
    for pod in executors:
        holder = Holder.of(pod.job, pod.job_uid)
        if not pod.finished and pod.mode is mode and holder not in live:
            left[holder] = left.get(holder, 0) + pod.cu
    return Held({**live, **left}, _of(status.holders, mode), _of(status.leaving, mode), checked)


def claims(mode: RunningMode, jobs: Iterable[tuple[Job, Runnable | Refusal]], of: Held) -> Iterator[Claim]:
    """What every job of an OU holds and wants of a pool. Pods of a deleted job are still that job's."""
    left = of.holders
    for job, verdict in jobs:
        holder = Holder.of(job.key.name, job.uid)
        wanted = _wanted(job, verdict, mode)
        intended = job.status.admitted_cu if job.status.admitted_mode is mode else 0
        if wanted or intended or holder in left:
            left.discard(holder)
            priority = 0 if isinstance(job.spec, InvalidSpec) else job.spec.priority
            yield of.claim(holder, created=job.created, priority=priority, wanted=wanted, intended=intended)
    for holder in left:
        yield of.claim(holder)


def _wanted(job: Job, verdict: Runnable | Refusal, mode: RunningMode) -> float:
    if isinstance(verdict, Refusal) or verdict.spec.resources.mode is not mode:
        return 0
    if job.deleting or verdict.spec.state is not DesiredState.RUNNING:
        return 0
    if memory.given_up(job.status, verdict.spec_hash, verdict.spec.restart):
        return 0
    if memory.is_state_breaking(job.status, verdict):
        return 0  # an edit that is refused; the spec that runs in its place is asked for under its own verdict
    return verdict.cu


def granted(status: StreamResourceStatus, mode: RunningMode, name: str, uid: str) -> float:
    """CU that a job is admitted with."""
    return _written(status.holders, mode).get(str(Holder.of(name, uid)), 0)


def leavers(status: StreamResourceStatus) -> set[tuple[RunningMode, Holder]]:
    """Whose CU were withdrawn and are not free yet."""
    return {(mode, holder) for mode in RunningMode for holder in _of(status.leaving, mode)}


def holdings(ledger: Ledger) -> tuple[Holdings, Holdings]:
    """Who holds what, and what is leaving, as a status has it."""
    return (
        _holdings({mode: ledger.pool(mode).admitted for mode in RunningMode}),
        _holdings({mode: ledger.pool(mode).leaving for mode in RunningMode}),
    )


def changed(before: StreamResourceStatus, after: StreamResourceStatus) -> set[str]:
    """Names of the jobs whose grant is another one."""
    return {
        Holder.parse(text).name
        for mode in RunningMode
        for text, _ in _written(before.holders, mode).items() ^ _written(after.holders, mode).items()
    }


def _written(holdings: Holdings, mode: RunningMode) -> dict[str, float]:
    return holdings.cluster if mode is RunningMode.CLUSTER else holdings.standalone


def _of(holdings: Holdings, mode: RunningMode) -> dict[Holder, float]:
    return {Holder.parse(text): cu for text, cu in _written(holdings, mode).items()}


def _holdings(by_mode: Mapping[RunningMode, ByHolder]) -> Holdings:
    standalone, cluster = (
        {str(holder): cu for holder, cu in sorted(by_mode[mode].items())}
        for mode in (RunningMode.STANDALONE, RunningMode.CLUSTER)
    )
    return Holdings(standalone=standalone, cluster=cluster)
