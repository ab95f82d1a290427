"""The API server, for the benchmark's own processes: one session over TLS, JSON in and out."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

Manifest = dict[str, Any]
# https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_LONGEST_LINE = 4 * 2**20


class RefusedError(Exception):
    """The API server refused a request."""


@dataclass(frozen=True)
class Access:
    """A session; ``host`` is the API server's URL."""

    session: aiohttp.ClientSession
    host: str

    async def request(self, method: str, path: str, body: Manifest | None = None, media: str = "") -> Manifest:
        """One request. What is there already (409) and what is gone (404) is no fault; the answer is empty then."""
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": media or "application/json"}
        async with self.session.request(method, f"{self.host}{path}", data=data, headers=headers) as answer:
            text = await answer.read()
            if answer.status in {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}:
                return {}
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise RefusedError(f"{method} {path}: {answer.status} {text[:300].decode(errors='replace')}")
            parsed: Manifest = json.loads(text)
            return parsed

    async def all(self, method: str, requests: list[tuple[str, Manifest | None]], at_once: int = 16) -> None:
        """Many requests of one kind, some at once."""
        limit = asyncio.Semaphore(at_once)

        async def one(path: str, body: Manifest | None) -> None:
            async with limit:
                await self.request(method, path, body)

        await asyncio.gather(*(one(path, body) for path, body in requests))

    async def watch(self, path: str, selector: str, version: str) -> AsyncIterator[Manifest]:
        """Metadata of what changes from this version on, for as long as the API server lets the watch live."""
        query = {"watch": "1", "labelSelector": selector, "resourceVersion": version}
        unlimited = aiohttp.ClientTimeout(total=None)
        async with self.session.get(
            f"{self.host}{path}", params=query, headers={"Accept": METADATA_ONLY}, timeout=unlimited
        ) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                yield json.loads(line)


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Access]:
    """A session with the cluster of a kubeconfig."""
    settings = client.Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    bearer = settings.api_key.get("BearerToken")
    connector = aiohttp.TCPConnector(ssl=context, limit=64)
    headers = {"Authorization": bearer} if bearer else {}
    async with aiohttp.ClientSession(connector=connector, headers=headers, read_bufsize=_LONGEST_LINE) as session:
        yield Access(session, settings.host)
