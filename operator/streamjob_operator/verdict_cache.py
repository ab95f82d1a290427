"""Verdicts over the cache's jobs: each part is computed again only when what it rests on has changed. No I/O.

A pass over an OU's ledger asks for the verdict of every job: it must cost next to nothing where nothing is new.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import Library
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.jobs import memory
from streamjob_operator.observed import Job, JobKey, Pod, Resource
from streamjob_operator.validation import FoundModels, Lineage, Member, OuFacts, Runnable, Verdict, in_force
from streamjob_operator.validation.jobs import Footing, can_start, conclude, footing, library_of, member_of, reserves
from streamjob_operator.validation.resources import rival_of


class Seen(Protocol):
    """What the cache has seen."""

    def job(self, key: JobKey) -> Job | None:
        """A job, with its status."""
        ...

    def resources(self, namespace: str) -> list[Resource]:
        """The StreamResources of a namespace."""
        ...

    def all_resources(self) -> Iterable[Resource]:
        """Every StreamResource in the operator's scope."""
        ...

    def pods(self, key: JobKey) -> tuple[Pod, ...]:
        """Pods that carry the label of a job of this name."""
        ...


@dataclass
class _Known:
    """What was concluded of a job, and from what."""

    job: Job
    facts: OuFacts
    footing: Footing
    lineage_version: int = 0
    verdict: Verdict | None = None
    can_start: bool | None = None


@dataclass
class VerdictCache:
    """Lineage, thing models and verdicts, by namespace or by the UID of a job."""

    catalogue: Catalogue
    seen: Seen
    _lineages: dict[str, Lineage] = field(default_factory=dict)
    _with_drafts: dict[str, Lineage] = field(default_factory=dict)  # who is concerned by a change: drafts, too
    _jobs: dict[str, Job] = field(default_factory=dict)  # as their spec was last new
    _users: dict[str, dict[Library, dict[str, JobKey]]] = field(default_factory=dict)
    _models: dict[str, FoundModels] = field(default_factory=dict)
    _facts: dict[str, OuFacts] = field(default_factory=dict)
    _stale: set[str] = field(default_factory=set)  # namespaces whose facts may have changed
    _new: dict[str, set[JobKey]] = field(default_factory=dict)
    _stand_ins: dict[str, Runnable] = field(default_factory=dict)  # former specs in force, by the UID of their job
    _lasting_uids: set[str] = field(default_factory=set)  # jobs whose former spec stands in the lineage
    _by_org_id: dict[str, list[Resource]] | None = None
    _known: dict[str, _Known] = field(default_factory=dict)

    def put_job(self, job: Job) -> None:
        """Take in a job whose spec is new, or that is being deleted."""
        former = self._lineage(job.key.namespace).member(job.uid)
        self.drop_job(job)
        self._jobs[job.uid] = job
        self.put_new(job.key.namespace, {job.key})
        lasting = self._lasting(job, former)
        if lasting:
            self._lasting_uids.add(job.uid)
        reserving = lasting or (member_of(job) if reserves(job) else None)
        if known := lasting or member_of(job):
            self._with_drafts.setdefault(job.key.namespace, Lineage()).put(known)
        if reserving:
            self._lineage(job.key.namespace).put(reserving)
        if not isinstance(job.spec, InvalidSpec):
            users = self._users.setdefault(job.key.namespace, {})
            users.setdefault(library_of(job.spec), {})[job.uid] = job.key
        self._stale.add(job.key.namespace)

    def drop_job(self, job: Job) -> None:
        """Forget a job."""
        self._jobs.pop(job.uid, None)
        self._known.pop(job.uid, None)
        self._stand_ins.pop(job.uid, None)
        self._lasting_uids.discard(job.uid)
        self._lineage(job.key.namespace).drop(job.uid)
        self._with_drafts.setdefault(job.key.namespace, Lineage()).drop(job.uid)
        users = self._users.get(job.key.namespace, {})
        for library in [library for library, named in users.items() if named.pop(job.uid, None) and not named]:
            del users[library]
        self._stale.add(job.key.namespace)

    def is_new(self, job: Job) -> bool:
        """Whether the OU's thing models were not looked at since the job's spec was seen."""
        return job.key in self._new.get(job.key.namespace, ())

    def take_new(self, namespace: str) -> set[JobKey]:
        """The jobs that are new; from now on they are not."""
        return self._new.pop(namespace, set())

    def put_new(self, namespace: str, keys: set[JobKey]) -> None:
        """Take that back."""
        self._new.setdefault(namespace, set()).update(keys)

    def resources_changed(self) -> None:
        """A StreamResource is new, changed or gone: an orgId may belong to another one now."""
        self._by_org_id = None
        self._stale |= {*self._facts, *self._lineages}
        self._facts = {namespace: facts for namespace, facts in self._facts.items() if self.seen.resources(namespace)}

    def pods_changed(self, namespace: str) -> None:
        """A driver pod came or went: a removed library may be free now."""
        self._stale.add(namespace)

    def models(self, namespace: str) -> FoundModels | None:
        """The thing models of an OU, as last read."""
        return self._models.get(namespace)

    def put_models(self, namespace: str, found: FoundModels | None) -> None:
        """Take in the thing models of an OU, or that it names none."""
        if found is None:
            self._models.pop(namespace, None)
        else:
            self._models[namespace] = found
        self._stale.add(namespace)

    def facts(self, namespace: str) -> OuFacts:
        """What an OU's jobs are checked against; the same object as long as nothing of it changes."""
        known = self._facts.get(namespace)
        if known is None or namespace in self._stale:
            self._stale.discard(namespace)
            fresh = self._look(namespace)
            if known is None or _differ(known, fresh):
                self._facts[namespace] = fresh
        return self._facts[namespace]

    def verdict(self, job: Job) -> Verdict:
        """Whether a job can be run, as far as the cache knows."""
        facts = self.facts(job.key.namespace)
        lineage = self._lineage(job.key.namespace)
        known = self._in_lineage(job, facts, lineage)
        if known.verdict is None:
            known.verdict = conclude(
                known.footing,
                None if isinstance(job.spec, InvalidSpec) else self._own_member(job, lineage),
                lineage,
                runs=lambda older: self._runs(older, facts),
                writes=lambda writer: self._writes(writer, facts, lineage),
            )
        return known.verdict

    def former(self, job: Job) -> Verdict:
        """Whether a job could be run if it had a spec that it had before; ``job`` has it."""
        lineage, facts = self._lineage(job.key.namespace), self.facts(job.key.namespace)
        return conclude(
            footing(job, facts),
            member_of(job),
            lineage,
            runs=lambda older: self._runs(older, facts),
            writes=lambda writer: self._writes(writer, facts, lineage),
        )

    def put_stand_in(self, job: Job, runnable: Runnable | None) -> bool:
        """A former spec runs in place of the job's, or none does any more; whether that is new."""
        before = self._stand_ins.get(job.uid)
        if runnable is None:
            if before is not None:
                self.put_job(job)
            return before is not None
        self._stand_ins[job.uid] = runnable
        if before is not None and before.spec == runnable.spec:
            return before.spec_hash != runnable.spec_hash
        member = Member.of(job.uid, job.rank, runnable.spec)
        self._lasting_uids.add(job.uid)
        self._lineage(job.key.namespace).put(member)
        self._with_drafts.setdefault(job.key.namespace, Lineage()).put(member)
        return True

    def in_force(self, job: Job) -> Verdict:
        """Whether what runs, or is to run, of a job can be run: its spec, or a former one in its place."""
        return self._stand_ins.get(job.uid) or self.verdict(job)

    def neighbours(self, job: Job) -> set[JobKey]:
        """Jobs of the OU whose verdict may rest on this one."""
        lineage = self._with_drafts.get(job.key.namespace)
        member = lineage.member(job.uid) if lineage else None
        return {self._jobs[uid].key for uid in lineage.neighbours(member)} if lineage and member else set()

    def _lineage(self, namespace: str) -> Lineage:
        return self._lineages.setdefault(namespace, Lineage())

    def _footing(self, job: Job, facts: OuFacts) -> _Known:
        known = self._known.get(job.uid)
        if known is None or known.job.spec is not job.spec or known.facts is not facts:
            known = self._known[job.uid] = _Known(job, facts, footing(job, facts))
        return known

    def _in_lineage(self, job: Job, facts: OuFacts, lineage: Lineage) -> _Known:
        known = self._footing(job, facts)
        if known.lineage_version != lineage.version:
            known.lineage_version, known.verdict, known.can_start = lineage.version, None, None
        return known

    def _writes(self, member: Member, facts: OuFacts, lineage: Lineage) -> bool:
        """Whether a job counts as the writer of its outputs: it can be started, or its driver may go on if it cannot.

        One that is refused and never ran must not turn its readers to a topic that nobody writes.
        """
        job = self._jobs[member.uid]
        known = self._in_lineage(job, facts, lineage)
        if known.can_start is None:
            known.can_start = can_start(known.footing, member, lineage)
        return known.can_start or self._has_run(job)

    def _own_member(self, job: Job, lineage: Lineage) -> Member | None:
        """The job as its present spec makes it, whatever runs in its place."""
        known = None if job.uid in self._lasting_uids else lineage.member(job.uid)
        return known or member_of(job)

    def _lasting(self, job: Job, former: Member | None) -> Member | None:
        """What lasts of a job whose spec cannot take over: what runs, or is to run, goes on with the former one."""
        if former is None or job.deleting or not self._has_run(job):
            return None
        return former if isinstance(job.spec, InvalidSpec) or self._is_state_breaking(job, job.spec) else None

    def _is_state_breaking(self, job: Job, spec: StreamJobSpec) -> bool:
        seen = self.seen.job(job.key)
        if seen is None or spec.state is not DesiredState.RUNNING:
            return False
        runnable = footing(job, self.facts(job.key.namespace)).runnable
        return runnable is not None and memory.is_state_breaking(seen.status, runnable)

    def _has_run(self, job: Job) -> bool:
        seen = self.seen.job(job.key)
        return seen is not None and seen.uid == job.uid and seen.status.deployed is not None

    def _runs(self, member: Member, facts: OuFacts) -> bool:
        """Whether a job runs, or will, as far as its OU is concerned."""
        job = self._jobs[member.uid]
        is_asked = not isinstance(job.spec, InvalidSpec) and job.spec.state is DesiredState.RUNNING
        return is_asked and not self._footing(job, facts).footing.faults

    def _look(self, namespace: str) -> OuFacts:
        resource = in_force(self.seen.resources(namespace))
        return OuFacts(
            namespace=namespace,
            resource=resource,
            rival=rival_of(resource, self._of_org(resource.org_id)) if resource else None,
            models=self._models.get(namespace),
            running=frozenset(
                library for library, named in self._users.get(namespace, {}).items() if self._is_running(named.values())
            ),
            catalogue=self.catalogue,
        )

    def _of_org(self, org_id: str) -> list[Resource]:
        """The StreamResources that name an orgId."""
        if self._by_org_id is None:
            self._by_org_id = {}
            for resource in self.seen.all_resources():
                self._by_org_id.setdefault(resource.org_id, []).append(resource)
        return self._by_org_id.get(org_id, [])

    def _is_running(self, keys: Iterable[JobKey]) -> bool:
        return any(not pod.finished for key in keys for pod in self.seen.pods(key))


def _differ(one: OuFacts, other: OuFacts) -> bool:
    """Whether a verdict may differ; the status of a resource takes no part."""
    return (
        _of_resource(one.resource) != _of_resource(other.resource)
        or _of_resource(one.rival) != _of_resource(other.rival)
        or one.models is not other.models
        or one.running != other.running
    )


def _of_resource(resource: Resource | None) -> tuple[str, int] | None:
    return (resource.uid, resource.generation) if resource else None
