"""What the pipelines of an OU may do beyond calculating: nothing, unless the OU's StreamResource says so."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from streamjob_api import forms
from streamjob_api.base import ApiModel, Int, Number
from streamjob_api.connections import SecretName
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_api.schema_marks import SET, unit
from streamjob_api.topics import TopicName, name_faults

# Of the schemes that hosts are asked by.
PORTS = {"http": 80, "https": 443}

HostName = Annotated[str, StringConstraints(pattern=forms.HOST.pattern, max_length=259)]


class Scripts(ApiModel):
    """That scripts may run, and how much they may take."""

    max_seconds: Number = Field(
        default=10,
        gt=0,
        le=300,
        description="Time that a script may take for one call, which has at most 20,000 records.",
        examples=[10],
        json_schema_extra=unit("s"),
    )
    max_memory: Int = Field(
        default=128,
        ge=16,
        le=4096,
        description="Memory that a script may take beyond what Python and its libraries do, in each process.",
        examples=[128],
        json_schema_extra=unit("MiB"),
    )


class HttpCalls(ApiModel):
    """That other hosts may be asked, and which ones."""

    hosts: list[HostName] = Field(
        min_length=1,
        max_length=100,
        description="Hosts that may be asked, each as host or host:port; without a port, that of the address' scheme.",
        examples=[["assets.platform:8080"]],
        json_schema_extra=SET,
    )
    auth_secret: SecretName | None = Field(
        default=None,
        description="Secret with any of token, username, password, ca.crt; it is sent to these hosts only.",
        examples=["platform-api"],
    )

    def faults(self) -> Iterator[RuleFault]:
        """No host is listed twice."""
        yield from listed_twice("hosts", self.hosts)

    def allows(self, url: str) -> bool:
        """Whether an address' host is listed; without a port, that of the address' scheme counts."""
        try:
            parts = urlsplit(url)
            asked = (parts.hostname, parts.port or PORTS[parts.scheme])
        except (KeyError, ValueError):
            return False
        return asked in {_place(host, PORTS[parts.scheme]) for host in self.hosts}


def _place(host: str, usual: int) -> tuple[str, int]:
    name, _, port = host.lower().partition(":")
    return name, int(port or usual)


class Permissions(ApiModel):
    """What pipelines may do beyond calculating."""

    scripts: Scripts | None = Field(
        default=None, description="That scripts may run in drivers; {} for the defaults. Left out: none may."
    )
    http: HttpCalls | None = Field(default=None, description="That other hosts may be asked. Left out: none may.")
    topics: list[TopicName] = Field(
        default=[],
        max_length=100,
        description="Further topics of the OU's Kafka that pipelines may read and write.",
        examples=[["plant-alarms"]],
        json_schema_extra=SET,
    )

    def faults(self) -> Iterator[RuleFault]:
        """No topic is listed twice, and each can be one."""
        yield from listed_twice("topics", self.topics)
        for number, topic in enumerate(self.topics):
            yield from (RuleFault(message, ("topics", number)) for message in name_faults(topic))
