"""The StreamJob: what one job calculates, and how it is to run."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from streamjob_api import forms
from streamjob_api.alarms import Alarms
from streamjob_api.assets import AssetFilter
from streamjob_api.base import ApiModel, Bool, Int
from streamjob_api.diffs import IGNORED, LIVE, RESTART, STATE_BREAKING
from streamjob_api.duration_limits import AtLeastASecond, TriggerInterval
from streamjob_api.durations import Duration
from streamjob_api.lifecycle import DesiredState, Lifecycle, Restart, StartFrom, UpgradeMode
from streamjob_api.resources import Resources
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import rules, unit
from streamjob_api.templates import BLOCKS, TemplateBlock, TemplateName
from streamjob_api.templates.device_state import DeviceState
from streamjob_api.templates.energy_by_meter_reading import EnergyByMeterReading
from streamjob_api.templates.energy_by_power import EnergyByAveragePower, EnergyByInstantPower
from streamjob_api.templates.multi_point_merging import MultiPointMerging
from streamjob_api.templates.pipeline import Pipeline
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation

Version = Annotated[str, StringConstraints(pattern=forms.VERSION.pattern, min_length=1, max_length=32)]


class MessageChannel(StrEnum):
    """Where a job's records come from: devices as they send, or integrated historical data."""

    REAL_TIME = "RealTime"
    OFFLINE = "Offline"


class TemplateRef(ApiModel):
    """A template at a version, as installed by the OU's StreamResource."""

    name: TemplateName = Field(
        description="Name of the template; the spec has the block of the same name. One of time-window-aggregation, "
        "energy-by-meter-reading, energy-by-instant-power, energy-by-average-power, multi-point-merging, device-state "
        "and pipeline.",
        examples=["time-window-aggregation"],
        json_schema_extra=STATE_BREAKING,
    )
    version: Version = Field(
        description="Version of the template, as installed by the StreamResource.",
        examples=["1.0"],
        json_schema_extra=RESTART,
    )


_ONE_BLOCK = f"exactly one of {', '.join(block.BLOCK for block in BLOCKS.values())} is required"
_MATCHING = "template.name must be the template of the block"


class StreamJobSpec(ApiModel):
    """What one job calculates, and how it is to run."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (_ONE_BLOCK, f"[{', '.join(f'has(self.{block.BLOCK})' for block in BLOCKS.values())}].exists_one(b, b)"),
            (
                _MATCHING,
                " || ".join(
                    f"(self.template.name == '{name}' && has(self.{block.BLOCK}))" for name, block in BLOCKS.items()
                ),
            ),
        )
    )

    description: Annotated[str, StringConstraints(max_length=1024)] = Field(
        default="",
        description="What the job is for, in words for people.",
        examples=["Highest reading in ten minutes"],
        json_schema_extra=IGNORED,
    )
    state: DesiredState = Field(
        default=DesiredState.RUNNING,
        description="What the job is to do. Draft: checked, holds nothing; Released: checked, its outputs are "
        "reserved; Running: it calculates; Paused: stopped gracefully, capacity freed, checkpoint kept; Stopped: state "
        "and offsets dropped.",
        json_schema_extra=LIVE,
    )
    template: TemplateRef = Field(description="The template that the job configures.")
    message_channel: MessageChannel = Field(
        default=MessageChannel.REAL_TIME,
        description="RealTime reads what devices send, Offline integrated historical data.",
        json_schema_extra=STATE_BREAKING,
    )
    time_window_aggregation: TimeWindowAggregation | None = Field(
        default=None, description="Configuration of the template time-window-aggregation."
    )
    energy_by_meter_reading: EnergyByMeterReading | None = Field(
        default=None, description="Configuration of the template energy-by-meter-reading."
    )
    energy_by_instant_power: EnergyByInstantPower | None = Field(
        default=None, description="Configuration of the template energy-by-instant-power."
    )
    energy_by_average_power: EnergyByAveragePower | None = Field(
        default=None, description="Configuration of the template energy-by-average-power."
    )
    multi_point_merging: MultiPointMerging | None = Field(
        default=None, description="Configuration of the template multi-point-merging."
    )
    device_state: DeviceState | None = Field(default=None, description="Configuration of the template device-state.")
    pipeline: Pipeline | None = Field(default=None, description="Configuration of the template pipeline.")
    assets: AssetFilter = Field(default=AssetFilter(), description="Which assets of the OU take part.")
    final_only: Bool = Field(
        default=False,
        description="Whether inputs that another job calculates are read only once their values are final.",
        json_schema_extra=STATE_BREAKING,
    )
    resources: Resources = Field(default=Resources(), description="What the job takes of the OU's capacity.")
    priority: Int = Field(
        default=0,
        ge=-1000,
        le=1000,
        description="Order in the OU's queue: higher first, then the older job.",
        examples=[10],
        json_schema_extra=LIVE | unit("rank"),
    )
    rate_limit: Int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="What the job reads at most. Left out: no limit.",
        examples=[1000],
        json_schema_extra=RESTART | unit("records per second"),
    )
    trigger_interval: TriggerInterval = Field(
        default=Duration.parse("1s"),
        description="Time from the beginning of a micro-batch to that of the next, and how often records are looked "
        "for: 0s to 1m. With 0s one begins as soon as there are records: results come sooner, a record costs more.",
        examples=["500ms"],
        json_schema_extra=RESTART,
    )
    start_from: StartFrom = Field(default=StartFrom(), description="Which records the job's first start reads.")
    future_tolerance: Duration = Field(
        default=Duration.parse("5m"),
        description="How far a record's time may lie ahead of the clock; records beyond are refused and counted.",
        examples=["1m"],
        json_schema_extra=RESTART,
    )
    idle_timeout: AtLeastASecond | None = Field(
        default=None,
        description="Silence of an asset after which its open windows and days are closed. Left out: they wait for its "
        "next record.",
        examples=["2h"],
        json_schema_extra=RESTART,
    )
    alarms: Alarms | None = Field(default=None, description="When people are told of the job.")
    lifecycle: Lifecycle = Field(default=Lifecycle(), description="Deadlines of starting, stopping and pausing.")
    restart: Restart = Field(default=Restart(), description="How a failed driver is replaced.")
    restart_nonce: Int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Change it to restart the driver by hand.",
        examples=[1],
        json_schema_extra=RESTART | unit("any number"),
    )
    upgrade_mode: UpgradeMode = Field(
        default=UpgradeMode.STATEFUL,
        description="Stateful: a change that breaks the state is refused; Stateless: it drops state and offsets.",
        json_schema_extra=LIVE,
    )
    restore_from: (
        Annotated[str, StringConstraints(pattern=forms.CHECKPOINT.pattern, min_length=1, max_length=512)] | None
    ) = Field(
        default=None,
        description="Checkpoint that the job's first start copies: a path as in status.deployed.checkpoint, on the "
        "same volume, of a job of the namespace that calculates the same. Each path is adopted once.",
        examples=["ou-energy/meter-extremes/5b6e/0"],
        json_schema_extra=LIVE,
    )
    image: Annotated[str, StringConstraints(pattern=forms.IMAGE.pattern, min_length=1, max_length=512)] | None = Field(
        default=None,
        description="Runtime image in place of the catalogue's.",
        examples=["registry.example/streamjob-runtime:1.0"],
        json_schema_extra=RESTART,
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """There is one block, and it is the template's."""
        template = raw.get("template")
        name = template.get("name") if isinstance(template, Mapping) else None
        blocks = {of.BLOCK: of_name for of_name, of in BLOCKS.items()}
        written = [block for block in blocks if raw.get(block) is not None]
        expected = BLOCKS[name].BLOCK if isinstance(name, str) and name in BLOCKS else None
        if not written:
            yield RuleFault(f"no template is configured; write {expected or 'one of ' + ', '.join(blocks)}")
        elif len(written) > 1:
            yield RuleFault(f"{' and '.join(written)} are given; a job has one template, write one of them")
        elif expected is not None and written != [expected]:
            message = (
                f"'{name}' does not match the block {written[0]}; write '{blocks[written[0]]}', or the block {expected}"
            )
            yield RuleFault(message, ("template", "name"))

    @property
    def block(self) -> TemplateBlock:
        """What the job's template is configured with."""
        block: TemplateBlock | None = getattr(self, _FIELDS[BLOCKS[self.template.name].BLOCK])
        if block is None:
            raise TypeError(f"a validated spec has the block of its template {self.template.name}")
        return block


_FIELDS = {field.alias: name for name, field in StreamJobSpec.model_fields.items()}
