"""Pods as last seen, by namespace, job and name."""

from dataclasses import dataclass, field

from streamjob_operator.observed import JobKey, Pod


@dataclass
class PodTable:
    """Pods of one component."""

    _pods: dict[str, dict[str, dict[str, Pod]]] = field(default_factory=dict)

    def put(self, pod: Pod) -> Pod | None:
        """Take a pod in; what was known of it before."""
        named = self._pods.setdefault(pod.namespace, {}).setdefault(pod.job, {})
        earlier = named.get(pod.name)
        named[pod.name] = pod
        return earlier

    def get(self, key: JobKey, name: str) -> Pod | None:
        """A pod."""
        return self._pods.get(key.namespace, {}).get(key.name, {}).get(name)

    def lose(self, key: JobKey, name: str, uid: str | None = None) -> Pod | None:
        """Forget a pod (of this UID); the pod, if it was known."""
        named = self._pods.get(key.namespace, {}).get(key.name, {})
        pod = named.get(name)
        if pod is None or uid not in {None, pod.uid}:
            return None
        del named[name]
        if not named:
            del self._pods[key.namespace][key.name]
        return pod

    def of(self, key: JobKey) -> tuple[Pod, ...]:
        """The pods of a job."""
        return tuple(self._pods.get(key.namespace, {}).get(key.name, {}).values())

    def of_ou(self, namespace: str) -> list[Pod]:
        """The pods of all jobs of a namespace."""
        return [pod for named in self._pods.get(namespace, {}).values() for pod in named.values()]

    def namespaces(self) -> set[str]:
        """Where pods were seen."""
        return set(self._pods)
