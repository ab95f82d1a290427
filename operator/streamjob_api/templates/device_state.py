"""Template device-state: latest values, connection status of devices and of sites."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from streamjob_api.data_types import ValueType
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.names import NameCheck
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_api.schema_marks import SET, rules
from streamjob_api.templates.policies import Edge, TemplateBlock, distinct

MAX_POINTS = 200


class DeviceState(TemplateBlock):
    """Configuration of the template device-state."""

    BLOCK: ClassVar[str] = "deviceState"

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "an output must differ from the points and from the other output",
                (
                    "(!has(self.connectionOutput) || !(self.connectionOutput in self.points)) && "
                    "(!has(self.siteOutput) || !(self.siteOutput in self.points)) && "
                    "(!has(self.siteOutput) || !has(self.connectionOutput) || self.siteOutput != self.connectionOutput)"
                ),
            ),
            ("connectionOutput needs offlineAfter", "!has(self.connectionOutput) || has(self.offlineAfter)"),
            (
                "siteOutput needs siteAttribute and offlineAfter",
                "!has(self.siteOutput) || (has(self.siteAttribute) && has(self.offlineAfter))",
            ),
        )
    )

    points: list[PointRef] = Field(
        min_length=1,
        max_length=MAX_POINTS,
        description="Points whose latest values go to Redis, and whose records show that a device is online.",
        examples=[["Meter::A", "Meter::B"]],
        json_schema_extra=SET | STATE_BREAKING,
    )
    offline_after: Annotated[Duration, between("1s", "7d")] | None = Field(
        default=None,
        description="Silence after which a device is offline, 1s to 7d. Left out: connections are not watched.",
        examples=["10m"],
        json_schema_extra=STATE_BREAKING,
    )
    connection_output: PointRef | None = Field(
        default=None,
        description="Point of a device's connection, a text: online or offline; written on change; needs offlineAfter.",
        examples=["Meter::Connection"],
        json_schema_extra=STATE_BREAKING,
    )
    site_attribute: AttributeRef | None = Field(
        default=None,
        description="Attribute of a device that names its site: a text or a number.",
        examples=["Meter::Site"],
        json_schema_extra=STATE_BREAKING,
    )
    site_output: PointRef | None = Field(
        default=None,
        description=(
            "Point of how many devices of a site are online, an integer, on an asset that has the site's name; "
            "written on change; needs siteAttribute and offlineAfter."
        ),
        examples=["Meter::SiteState"],
        json_schema_extra=STATE_BREAKING,
    )

    def faults(self) -> Iterator[RuleFault]:
        """What is written needs what it is made of."""
        if self.offline_after is None and (self.connection_output is not None or self.site_output is not None):
            yield RuleFault(
                "required with connectionOutput and siteOutput; write a duration, as in 10m", ("offlineAfter",)
            )
        if self.site_output is not None and self.site_attribute is None:
            yield RuleFault("required with siteOutput; name the attribute that holds the site", ("siteAttribute",))
        yield from listed_twice("points", self.points)
        named = {"connectionOutput": self.connection_output, "siteOutput": self.site_output}
        yield from distinct(named)
        models = {point.model for point in self.points}
        for field, ref in {**named, "siteAttribute": self.site_attribute}.items():
            if ref is not None and ref in self.points:
                yield RuleFault(f"'{ref}' is also an input; name another point", (field,))
            if ref is not None and ref.model not in models:
                listed = " or ".join(f"'{model}'" for model in sorted(models))
                message = f"'{ref}' is of model '{ref.model}', but the points are not; name one of {listed}"
                yield RuleFault(message, (field,))

    def edges(self) -> Iterator[Edge]:
        """Connections and sites come from every point that is watched."""
        for field, output in (("connectionOutput", self.connection_output), ("siteOutput", self.site_output)):
            if output is not None:
                for point in self.points:
                    yield Edge(point, output, f"{self.BLOCK}.{field}")

    def inputs(self) -> list[PointRef]:
        """All points that are watched, whether anything is written or not."""
        return list(self.points)

    def check_names(self, names: NameCheck) -> None:
        """Points, outputs and the site's attribute are there; values of all types have a latest one."""
        for number, point in enumerate(self.points):
            names.point(point, f"{self.BLOCK}.points[{number}]")
        if self.connection_output is not None:
            path = f"{self.BLOCK}.connectionOutput"
            names.output(self.connection_output, path, ValueType.TEXT, "a device's connection", converts=True)
        if self.site_output is not None:
            path = f"{self.BLOCK}.siteOutput"
            names.output(self.site_output, path, ValueType.INT, "a count of devices")
        if self.site_attribute is not None:
            names.attribute(self.site_attribute, f"{self.BLOCK}.siteAttribute")
