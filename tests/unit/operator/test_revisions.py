"""Reading and keeping former specs, where the API server does not give what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from streamjob_operator.api_server.cluster import ApiError, Cluster
from streamjob_operator.api_server.revisions import Revisions
from streamjob_operator.jobs.course import Wanted
from streamjob_operator.observed import Manifest
from streamjob_operator.plan.revision import revision
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, job, runnable


class Answering(Cluster):
    """A client of an API server that answers each path as told, and refuses all else."""

    def __init__(self, answers: Mapping[str, Manifest], status: int) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.given, self.code = answers, status
        self.paths: list[str] = []

    async def request(self, method: str, path: str, *_: Any, **__: Any) -> Manifest:
        self.paths.append(path)
        if path in self.given:
            return self.given[path]
        raise ApiError(self.code, f"{method} {path} is refused")


PATH = "apis/apps/v1/namespaces/ou/controllerrevisions/extremes-a"


async def test_without_the_right_to_read_revisions_jobs_go_on() -> None:
    refused = Revisions(Answering({}, 403), World(CATALOGUE))
    former = await refused.former(job(), Wanted("extremes-a", 1))
    assert (former.spec, former.verdict) == (None, None)
    assert await refused.keep(job(), job().status, runnable(job())) == ""


async def test_a_server_that_fails_is_asked_again_later() -> None:
    failing = Revisions(Answering({}, 500), World(CATALOGUE))
    with pytest.raises(ApiError):
        await failing.former(job(), Wanted("extremes-a", 1))


async def test_a_spec_is_read_once_and_comes_back_as_it_was_given() -> None:
    known = job(rateLimit=7, description="as given")
    body = revision(known, runnable(known).spec, 4)
    cluster = Answering({PATH: body}, 403)
    revisions = Revisions(cluster, World(CATALOGUE))
    for _ in range(2):
        former = await revisions.former(known, Wanted("extremes-a"))
        assert former.spec == known.spec
    assert cluster.paths == [PATH]
    assert body["data"]["spec"]["rateLimit"] == 7
    assert "state" not in body["data"]["spec"]


async def test_a_revision_of_another_job_of_the_name_is_not_taken() -> None:
    body = revision(job(), runnable(job()).spec, 1)
    body["metadata"]["ownerReferences"][0]["uid"] = "former"
    revisions = Revisions(Answering({PATH: body}, 403), World(CATALOGUE))
    assert (await revisions.former(job(), Wanted("extremes-a"))).spec is None
