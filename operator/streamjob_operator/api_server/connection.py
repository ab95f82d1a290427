"""The connection to the API server: configured as the Kubernetes client is, spoken to by aiohttp itself.

The client's own way to send a request costs as much again as the request: it looks for a proxy and for a .netrc in a
thread each time, copies what it sends, and makes an exception of each refusal.
"""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.config.config_exception import ConfigException
from yarl import URL

_CONNECTIONS = 64
# Lists of thousands of objects would be packed and unpacked, which takes longer than it saves within a cluster.
_UNPACKED = "identity"


class Connection:
    """Sends requests and brings answers, whatever they are."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._session: aiohttp.ClientSession | None = None
        self._fixed: dict[str, Any] = {}

    @property
    def host(self) -> str:
        """The API server's URL."""
        return str(self._api.configuration.host)

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
        await self._api.close()  # type: ignore[no-untyped-call]

    async def exchange(
        self, method: str, url: str, body: Any, headers: Mapping[str, str], within_seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request and its answer: status, headers, body."""
        sent = {"Accept-Encoding": _UNPACKED, **headers}
        await self._api.update_params_for_auth(sent, [], ["BearerToken"], url, method, body)
        data = None if body is None else json.dumps(body).encode()
        limit = aiohttp.ClientTimeout(total=within_seconds)
        session = self._session or self._open()
        async with session.request(method, url, data=data, headers=sent, timeout=limit, **self._fixed) as answer:
            return answer.status, answer.headers, await answer.read()

    def _open(self) -> aiohttp.ClientSession:
        configuration = self._api.configuration
        proxy = configuration.proxy or _proxy_of_environment(self.host)
        told = {
            "proxy": proxy,
            "proxy_headers": configuration.proxy_headers if proxy else None,
            "server_hostname": configuration.tls_server_name,
        }
        self._fixed = {name: value for name, value in told.items() if value}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._api.rest_client.ssl_context),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session


def _proxy_of_environment(url: str) -> str | None:
    """The proxy that the environment names for this address: looked for once, since it does not change."""
    wanted = URL(url)
    if wanted.host is None or urllib.request.proxy_bypass(wanted.host):
        return None
    return urllib.request.getproxies().get(wanted.scheme)


async def connection_from_environment(kubeconfig: str | None = None) -> Connection:
    """A connection configured by the pod's service account, else by this file, else by KUBECONFIG."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except ConfigException:
        await config.load_kube_config(kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
    return Connection(client.ApiClient(configuration))
