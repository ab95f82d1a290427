"""What a calculator is to a manifest: its parameters, which records it takes, and what it makes of them."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import ValidationError

from streamjob_api.base import ApiModel
from streamjob_api.calculators.flow import Flow
from streamjob_api.fault_words import words
from streamjob_api.names import NameCheck
from streamjob_api.permissions import Permissions
from streamjob_api.places import place
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.rule_faults import RuleFault


class StageParameters(ApiModel):
    """The parameters of a stage, and what they say of its records.

    ``ALIASES``: older names of the calculator.
    remedy. The docstring of a calculator's class is the first paragraph of its page.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ()

    def takes(self) -> frozenset[PointRef] | None:
        """Return the points whose records it works on; None: whatever comes. It is given no others."""
        return None

    def numbers(self) -> frozenset[PointRef]:
        """Return those of the points whose values have to be numbers."""
        return frozenset()

    def misfits(self, coming: Flow) -> Iterator[RuleFault]:  # noqa: ARG002
        """Yield what it names of what comes that is not there; paths begin at the stage."""
        return iter(())

    def gives(self, coming: Flow) -> Flow:
        """Return what it gives of what comes, which is of points that it takes."""
        return coming

    def attributes(self) -> dict[str, AttributeRef]:
        """Return the attributes of assets that it binds, by the field that names them."""
        values = {name: getattr(self, attribute) for attribute, name in _fields(type(self))}
        return {name: value for name, value in values.items() if isinstance(value, AttributeRef)}

    def topic_read(self) -> str | None:
        """Return the topic that the points which it takes come through; None: the OU's."""
        return None

    def topic_written(self) -> str | None:
        """Return the topic that what it gives leaves the job through, as its last stage; None: the results'."""
        return None

    def described(self) -> frozenset[PointRef]:
        """Return the points of which the driver is told what the thing models say."""
        return frozenset()

    def needs_redis(self) -> bool:
        """Return whether it reads Redis, attributes that it binds aside."""
        return False

    def keeps_state(self) -> bool:
        """Return whether it keeps anything from one micro-batch to the next; if so, changes up to it break that."""
        return True

    def check_allowed(self, allowed: Permissions) -> Iterator[RuleFault]:  # noqa: ARG002
        """Yield what it does that the OU's StreamResource does not allow, and what to ask for."""
        return iter(())

    def check_names(self, names: NameCheck, path: str) -> None:
        """Ask about the points and attributes that it names beside those that come and those that it gives."""


@cache
def _fields(calculator: type[StageParameters]) -> list[tuple[str, str]]:
    return [(name, field.alias or name) for name, field in calculator.model_fields.items()]


def parsed(calculator: type[StageParameters], raw: Mapping[str, Any]) -> tuple[StageParameters | None, list[RuleFault]]:
    """Read a stage's parameters; None with faults, their paths begin at the parameters."""
    try:
        return calculator.model_validate(raw, by_alias=True, by_name=False), []
    except ValidationError as error:
        return None, list(_faults(calculator, error))


def _faults(calculator: type[StageParameters], error: ValidationError) -> Iterator[RuleFault]:
    for details in error.errors(include_url=False):
        path = tuple(step for step in details["loc"] if step != "[key]")
        for text in words(details, place(calculator, path), {}):
            yield RuleFault(text, path)
