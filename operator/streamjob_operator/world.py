"""What the watches have shown: the operator's cache. It may lag; nothing is concluded gone from it alone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from streamjob_api import kinds
from streamjob_api.progress import Progress
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.departed import Departed
from streamjob_operator.extracts import job_of, pod_of, resource_of
from streamjob_operator.ledger import Ledger
from streamjob_operator.observed import Hindrance, Job, JobKey, Manifest, Pod, Resource
from streamjob_operator.pod_table import PodTable
from streamjob_operator.validation import Verdict
from streamjob_operator.verdict_cache import VerdictCache


@dataclass
class World:
    """Jobs, resources, driver and executor pods, by key; and what was computed or asked of them last."""

    catalogue: Catalogue
    _jobs: dict[str, dict[str, Job]] = field(default_factory=dict)
    _resources: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _drivers: PodTable = field(default_factory=PodTable)
    _executors: PodTable = field(default_factory=PodTable)
    _checks: PodTable = field(default_factory=PodTable)
    _departed: Departed = field(default_factory=Departed)
    _hindrances: dict[str, Hindrance] = field(default_factory=dict)  # by the UID of a driver that is being created
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    # With the UID of the pod that was asked; None when it does not answer.
    progress: dict[JobKey, tuple[str, Progress | None]] = field(default_factory=dict)

    # The last pod that vanished, as it was seen last: it may have left its last words.
    parted: dict[JobKey, Pod] = field(default_factory=dict)
    # What the API server said when it refused a job's objects: a quota, a pod security standard.
    refused: dict[JobKey, str] = field(default_factory=dict)

    # Jobs that this process has judged: after a restart it has taken over when that is all of them.
    judged: set[JobKey] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.verdicts = VerdictCache(self.catalogue, self)

    def job(self, key: JobKey) -> Job | None:
        """A job, as last seen."""
        return self._jobs.get(key.namespace, {}).get(key.name)

    def jobs(self, namespace: str) -> list[Job]:
        """The jobs of an OU."""
        return list(self._jobs.get(namespace, {}).values())

    def resources(self, namespace: str) -> list[Resource]:
        """The StreamResources of a namespace."""
        return list(self._resources.get(namespace, {}).values())

    def resource(self, namespace: str, name: str) -> Resource | None:
        """A StreamResource, as last seen."""
        return self._resources.get(namespace, {}).get(name)

    def all_resources(self) -> Iterator[Resource]:
        """Every StreamResource in the operator's scope."""
        for named in self._resources.values():
            yield from named.values()

    def pods(self, key: JobKey) -> tuple[Pod, ...]:
        """Driver pods that carry the label of a job of this name."""
        return self._drivers.of(key)

    def executors(self, key: JobKey) -> tuple[Pod, ...]:
        """Executor pods that carry the label of a job of this name."""
        return self._executors.of(key)

    def checks(self, namespace: str) -> tuple[Pod, ...]:
        """Pods of a namespace that ask its connections."""
        return tuple(self._checks.of_ou(namespace))

    def pods_of_ou(self, namespace: str) -> list[Pod]:
        """Every driver pod of a namespace."""
        return self._drivers.of_ou(namespace)

    def executors_of_ou(self, namespace: str) -> list[Pod]:
        """Every executor pod of a namespace."""
        return self._executors.of_ou(namespace)

    def pod(self, key: JobKey, name: str) -> Pod | None:
        """A driver or executor, as last seen."""
        return next((pod for pod in (*self.pods(key), *self.executors(key)) if pod.name == name), None)

    def namespaces(self) -> set[str]:
        """Namespaces in which something was seen."""
        return {*self._jobs, *self._resources, *self._drivers.namespaces(), *self._executors.namespaces()}

    def job_keys(self) -> list[JobKey]:
        """Every job."""
        return [job.key for named in self._jobs.values() for job in named.values()]

    def verdict(self, job: Job) -> Verdict:
        """Whether a job can be run, as far as the cache knows."""
        return self.verdicts.verdict(job)

    def in_force(self, job: Job) -> Verdict:
        """Whether what runs, or is to run, of a job can be run: its spec, or a former one in its place."""
        return self.verdicts.in_force(job)

    def heard(self, key: JobKey, pod_uid: str) -> Progress | None:
        """What this pod said last."""
        uid, progress = self.progress.get(key, ("", None))
        return progress if uid == pod_uid else None

    def was_asked(self, key: JobKey, pod_uid: str) -> bool:
        """Whether this pod was asked at least once, be it in vain."""
        return self.progress.get(key, ("", None))[0] == pod_uid

    def see_job(self, body: Manifest) -> bool:
        """Take in a job; whether anything relevant changed (own status writes that come back do not count)."""
        meta = body["metadata"]
        named = self._jobs.setdefault(meta["namespace"], {})
        earlier = named.get(meta["name"])
        if self._is_stale(meta, earlier):
            return False
        job = job_of(body, earlier)
        named[job.key.name] = job
        if earlier and earlier.uid != job.uid:
            self.verdicts.drop_job(earlier)
        if earlier is None or earlier.spec is not job.spec or earlier.deleting != job.deleting:
            self.verdicts.put_job(job)
        return earlier is None or replace(earlier, resource_version=job.resource_version) != job

    def see_resource(self, body: Manifest) -> bool:
        """Take in a StreamResource; whether anything relevant changed."""
        meta = body["metadata"]
        named = self._resources.setdefault(meta["namespace"], {})
        earlier = named.get(meta["name"])
        if self._is_stale(meta, earlier):
            return False
        resource = resource_of(body, earlier)
        named[resource.name] = resource
        if earlier is None or earlier.spec is not resource.spec or earlier.deleting != resource.deleting:
            self.verdicts.resources_changed()
        return earlier is None or replace(earlier, resource_version=resource.resource_version) != resource

    def see_pod(self, body: Manifest) -> bool:
        """Take in a driver or executor pod; whether anything relevant changed."""
        pod = pod_of(body)
        table = {kinds.EXECUTOR: self._executors, kinds.CHECK: self._checks}.get(pod.component, self._drivers)
        if self._is_stale(body["metadata"], table.get(pod.key, pod.name)):
            return False
        if table is not self._drivers:
            return table.put(pod) != pod
        if pod.is_being_created:
            pod = replace(pod, hindrance=self._hindrances.get(pod.uid))
        else:
            self._hindrances.pop(pod.uid, None)
        earlier = self._drivers.put(pod)
        if earlier is None or earlier.finished != pod.finished:
            self.verdicts.pods_changed(pod.namespace)
        return earlier != pod

    def hinder(self, pod: Pod, hindrance: Hindrance | None) -> bool:
        """Take in what holds a driver up that is being created; whether that is new."""
        present = self.pod(pod.key, pod.name)
        if present is None or present.uid != pod.uid or not present.is_being_created or present.hindrance == hindrance:
            return False
        if hindrance:
            self._hindrances[pod.uid] = hindrance
        else:
            del self._hindrances[pod.uid]
        self._drivers.put(replace(present, hindrance=hindrance))
        return True

    def lose_job(self, key: JobKey, uid: str | None = None) -> None:
        """Forget a job (of this UID)."""
        self._bury(uid)
        job = self.job(key)
        if job and uid in {None, job.uid}:
            del self._jobs[key.namespace][key.name]
            self.verdicts.drop_job(job)
            self.progress.pop(key, None)
            self.refused.pop(key, None)
            self.judged.discard(key)
            self.parted.pop(key, None)

    def lose_resource(self, namespace: str, name: str, uid: str | None = None) -> None:
        """Forget a StreamResource (of this UID)."""
        self._bury(uid)
        resource = self._resources.get(namespace, {}).get(name)
        if resource and uid in {None, resource.uid}:
            del self._resources[namespace][name]
            self.verdicts.resources_changed()

    def lose_pod(self, key: JobKey, name: str, uid: str | None = None) -> None:
        """Forget a pod (of this UID)."""
        self._bury(uid)
        self._executors.lose(key, name, uid)
        self._checks.lose(key, name, uid)
        if driver := self._drivers.lose(key, name, uid):
            self._hindrances.pop(driver.uid, None)
            self._part(key, driver)
            self.verdicts.pods_changed(key.namespace)

    def _bury(self, uid: str | None) -> None:
        if uid:
            self._departed.add(uid)

    def _is_stale(self, meta: Manifest, earlier: Job | Resource | Pod | None) -> bool:
        """Whether this is the object as it was before what was seen since; it may be gone by now."""
        return meta["uid"] in self._departed or (earlier is not None and _is_known(meta, earlier))

    def keep_pods(self, key: JobKey, shown: Collection[str]) -> bool:
        """Forget the drivers and executors of a job that a live read has not shown; whether there were any.

        Args:
            shown: UIDs.
        """
        gone = [pod for pod in (*self._drivers.of(key), *self._executors.of(key)) if pod.uid not in shown]
        for pod in gone:
            if self._executors.lose(key, pod.name, pod.uid) is None:
                self._drivers.lose(key, pod.name, pod.uid)
                self._part(key, pod)
                self.verdicts.pods_changed(key.namespace)
        return bool(gone)

    def _part(self, key: JobKey, pod: Pod) -> None:
        """Keep a pod that is gone until the next one is, for its last words; of a job that is there."""
        if self.job(key) is not None:
            self.parted[key] = pod

    def stalled_resources(self) -> list[Resource]:
        """StreamResources in force that an older one stands in the way of."""
        return [resource for resource in self.all_resources() if self._is_stalled(resource)]

    @staticmethod
    def _is_stalled(resource: Resource) -> bool:
        return any(condition.type == "Stalled" for condition in resource.status.conditions)

    def known(self, namespace: str | None) -> set[str]:
        """UIDs of everything in a namespace, or everywhere."""
        return {uid for uid, *_ in self._everything(namespace)}

    def forget(self, namespace: str | None, uids: set[str]) -> list[JobKey]:
        """Forget what a listing no longer showed; the keys of the jobs concerned, also by what others left."""
        gone = [known for known in self._everything(namespace) if known[0] in uids]
        touched = {other for _, kind, key, _ in gone if kind == "job" for other in self.neighbours(key)}
        for uid, kind, key, name in gone:
            if kind == "job":
                self.lose_job(key, uid)
            elif kind == "pod":
                self.lose_pod(key, name, uid)
            else:
                self.lose_resource(key.namespace, name, uid)
        return [*(key for _, kind, key, _ in gone if kind != "resource"), *touched]

    def _everything(self, namespace: str | None) -> list[tuple[str, str, JobKey, str]]:
        """UID, kind, key and name of all that is known."""
        wanted = self.namespaces() if namespace is None else {namespace}
        found = []
        for each in wanted:
            found += [(job.uid, "job", job.key, job.key.name) for job in self.jobs(each)]
            pods = (*self.pods_of_ou(each), *self.executors_of_ou(each), *self.checks(each))
            found += [(pod.uid, "pod", pod.key, pod.name) for pod in pods]
            found += [(r.uid, "resource", JobKey(each, ""), r.name) for r in self.resources(each)]
        return found

    def neighbours(self, key: JobKey) -> set[JobKey]:
        """Other jobs of the OU whose verdict may rest on this one."""
        job = self.job(key)
        return self.verdicts.neighbours(job) if job else set()


def _is_known(meta: Manifest, earlier: Job | Resource | Pod) -> bool:
    """Whether an event is no newer than what a write or a live read has shown already.

    Resource versions are compared as numbers: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    versions = (meta.get("resourceVersion", ""), earlier.resource_version)
    return meta["uid"] == earlier.uid and all(v.isdecimal() for v in versions) and int(versions[0]) <= int(versions[1])
