"""Internal HTTP client: asks a host of the platform about records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import Field, StringConstraints

from streamjob_api.base import Int
from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.json_paths import JsonPath
from streamjob_api.permissions import PORTS, Permissions
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import PointCalculator, Run, pl

if TYPE_CHECKING:
    from streamjob_runtime.templates.hosts import Answer, Asking, Request

ATTACHED = "internalHttpClient"
_FIELDS = ("assetId", "modelId", "pointId", "time", "value")
_PLACEHOLDER = re.compile(r"\$\{record::(\w+)\}")

Text = Annotated[str, StringConstraints(max_length=1024)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Method(StrEnum):
    """How a host is asked."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"


class Target(StrEnum):
    """Where the answer goes."""

    VALUE = "value"
    ATTR = "attr"


class InternalHttpClient(PointCalculator):
    """Asks a host that the OU's StreamResource allows, for each record, and takes the answer as value or beside it.

    In `url`, `query` and `body`, `${record::assetId}`, `${record::modelId}`, `${record::pointId}`, `${record::time}`
    and `${record::value}` stand for the record's own; a text of `body` that is one of these alone keeps its type. The
    answer is JSON of at most 64 KiB. With `as: value` the part at `result` is the value of the record that is given;
    with `attr` it is in `attr.internalHttpClient`, as a text. Records whose request fails in the end are handed to
    `onRecordError`; how requests are made is told in [Asking other hosts](templates/pipeline.md#asking-other-hosts).
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("http-lookup",)

    method: Method = Field(default=Method.GET, description="GET, POST or PUT.", examples=["GET"])
    url: Annotated[str, StringConstraints(min_length=8, max_length=1024)] = Field(
        description="Address, http or https, without a query.",
        examples=["http://assets.platform:8080/assets/${record::assetId}"],
    )
    query: dict[Name, Text] = Field(
        default={}, max_length=20, description="Parameters of the address.", examples=[{"at": "${record::time}"}]
    )
    body: dict[Name, Text] | None = Field(
        default=None,
        max_length=50,
        description="A JSON object to send, of texts and what a record has.",
        examples=[{"value": "${record::value}"}],
    )
    result: JsonPath = Field(
        default=JsonPath.parse("$"), description="Path of what is taken from the answer.", examples=["data.limit"]
    )
    target: Target = Field(
        alias="as",
        default=Target.ATTR,
        description="value: it is the value of the record that is given; attr: it stands in attr.",
        examples=["value"],
    )
    output_type: ValueType = Field(
        default=ValueType.DOUBLE,
        description="Type of the value that is taken: int, double, string or bool.",
        examples=["double"],
    )
    timeout: Annotated[Duration, between("1s", "1m")] = Field(
        default=Duration.parse("5s"), description="How long an answer may take, 1s to 1m.", examples=["5s"]
    )
    retries: Int = Field(default=2, ge=0, le=10, description="Further attempts, with pauses that grow.", examples=[2])
    parallelism: Int = Field(default=4, ge=1, le=32, description="Requests under way at once.", examples=[8])
    cache: Annotated[Duration, between("0s", "1d")] = Field(
        default=Duration.parse("1m"),
        description="How long an answer serves equal requests; 0s: only within a micro-batch.",
        examples=["10m"],
    )

    def faults(self) -> Iterator[RuleFault]:
        """There is a host, which is the same for all records, and placeholders that there are."""
        if {*"$@"} & {*self.url.partition("://")[2].partition("/")[0]}:
            yield RuleFault("the host is the same for all records, without user and password", ("url",))
        elif _host(self.url) is None:
            yield RuleFault(
                "is no http or https address with a host; write e.g. http://assets.platform:8080/a", ("url",)
            )
        if "?" in self.url or "#" in self.url:
            yield RuleFault("has a query; write its parameters into query", ("url",))
        if self.body is not None and self.method is Method.GET:
            yield RuleFault("GET sends nothing; write method: POST or PUT", ("body",))
        texts = {("url",): self.url} | {("query", name): text for name, text in self.query.items()}
        texts |= {("body", name): text for name, text in (self.body or {}).items()}
        for path, text in texts.items():
            for name in sorted({*_PLACEHOLDER.findall(text)} - {*_FIELDS}):
                yield RuleFault(f"a record has no '{name}'; it has {', '.join(_FIELDS)}", path)

    def check_allowed(self, allowed: Permissions) -> Iterator[RuleFault]:
        """The host is listed."""
        if allowed.http is None or not allowed.http.allows(self.url):
            yield RuleFault(
                f"asks '{_host(self.url)}', which spec.pipelines.http.hosts does not list; ask for it", ("url",)
            )

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def gives(self, coming: Flow) -> Flow:
        """Return the point, with the answer."""
        if self.target is Target.ATTR:
            return super().gives(coming).with_attached(ATTACHED)
        return coming.made(self.output or self.input, self.output_type)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with what is answered; those without an answer are rejected."""
        asked = self._asked(records)
        distinct = asked.unique(maintain_order=True)
        requests = [self._request(row) for row in distinct.iter_rows(named=True)]
        answers = run.surroundings.hosts.ask(requests, self._asking())
        told = [self._told(answer) for answer in answers]
        schema = {"said": pl.String(), "number": pl.Float64(), "cause": pl.String()}
        found = pl.concat([distinct, pl.DataFrame(told, schema=schema, orient="row")], how="horizontal")
        rows = pl.concat(
            [
                records,
                asked.join(found, on=asked.columns, how="left", nulls_equal=True, maintain_order="left").select(
                    *schema
                ),
            ],
            how="horizontal",
        )
        for (cause,), failed in rows.filter(pl.col("cause").is_not_null()).group_by("cause", maintain_order=True):
            run.reject(failed.drop(*schema), str(cause))
        return self.named(self._given(rows.filter(pl.col("cause").is_null())).drop(*schema))

    def _asking(self) -> Asking:
        from streamjob_runtime.templates.hosts import Asking  # noqa: PLC0415 (the operator reads parameters alone)

        timeout, kept = (duration.milliseconds / 1000 for duration in (self.timeout, self.cache))
        return Asking(timeout, self.retries, self.parallelism, kept)

    def _asked(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return what of each record is named in its request."""
        text = json.dumps([self.url, self.query, self.body])
        used = [name for name in _FIELDS if f"${{record::{name}}}" in text]
        point = pl.col("point").cast(pl.String).str.split_exact("::", 1).struct
        number = pl.when("is_int").then(pl.col("value").cast(pl.Int64, strict=False).cast(pl.String))
        told = {
            "assetId": pl.col("asset"),
            "modelId": point[0],
            "pointId": point[1],
            "time": pl.col("time").cast(pl.String),
            "value": pl.coalesce("text", number, pl.col("value").cast(pl.String)),
        }
        return (
            records.select(told[name].alias(name) for name in used)
            if used
            else records.select(asked=pl.repeat(0, pl.len()))
        )

    def _request(self, row: Mapping[str, str | None]) -> Request:
        from streamjob_runtime.templates.hosts import Request  # noqa: PLC0415 (the operator reads parameters alone)

        plain = {name: _plain(name, text) for name, text in row.items()}
        url = _PLACEHOLDER.sub(lambda found: quote(plain[found[1]], safe=""), self.url)
        query = {name: _filled(text, plain) for name, text in self.query.items()}
        body = None
        if self.body is not None:
            body = json.dumps({name: _typed(part, row, plain) for name, part in self.body.items()}).encode()
        return Request(str(self.method), f"{url}?{urlencode(query)}" if query else url, body)

    def _told(self, answer: Answer) -> tuple[str | None, float | None, str | None]:
        """Return the part of an answer as JSON, as a number, or why there is none."""
        if answer.cause is not None:
            return None, None, f"the host {answer.cause}"
        part = answer.document
        try:
            for step in self.result.steps:
                part = part[step]
        except (LookupError, TypeError):
            return None, None, "its answer has no such result"
        if self.target is Target.ATTR:
            return json.dumps(part), None, None
        if not _fits(part, self.output_type):
            return None, None, f"its answer's result is no {self.output_type.words}"
        return (json.dumps(part), None, None) if isinstance(part, bool | str) else (None, float(part), None)

    def _given(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self.target is Target.ATTR:
            return rows.with_columns(pl.col("said").alias(ATTACHED))
        is_int = pl.lit(self.output_type is ValueType.INT)
        return rows.with_columns(value=pl.col("number"), is_int=is_int, text=pl.col("said"))


def _host(url: str) -> str | None:
    """Return an address' host, with its port where it names one."""
    try:
        parts = urlsplit(url)
        named = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    except ValueError:
        return None
    return named if parts.scheme in PORTS and parts.hostname else None


def _plain(name: str, text: str | None) -> str:
    """Return a record's own as it stands in a text; a value that is a text without its quotes."""
    if text is None:
        return ""
    is_json = name == "value" and text.startswith('"')
    return str(json.loads(text)) if is_json else text


def _filled(text: str, plain: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: plain[found[1]], text)


def _typed(part: str, row: Mapping[str, str | None], plain: Mapping[str, str]) -> Any:
    """Return a part of the body: numbers stay numbers where a text is a placeholder alone."""
    alone = _PLACEHOLDER.fullmatch(part)
    if alone is None:
        return _filled(part, plain)
    text = row[alone[1]]
    return text if text is None or alone[1] not in {"time", "value"} else json.loads(text)


def _fits(part: Any, kind: ValueType) -> bool:
    if kind is ValueType.TEXT:
        return isinstance(part, str)
    if isinstance(part, bool) or kind is ValueType.BOOLEAN:
        return isinstance(part, bool) and kind is ValueType.BOOLEAN
    if kind is ValueType.INT:
        return isinstance(part, int) and abs(part) <= 2**53
    return isinstance(part, int | float) and abs(part) < float("inf")
