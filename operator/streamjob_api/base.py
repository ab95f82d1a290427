"""What every model of the API shares."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, Strict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from streamjob_api.rule_faults import RuleFault, raised, with_rules

# The API server takes "5" or 5.0 for no integer and "true" for no boolean; neither do the models.
Int = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Bool = Annotated[bool, Strict()]


class PlainModel(BaseModel):
    """camelCase outside, snake_case inside, unknown fields refused, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        serialize_by_alias=True,
        validate_default=True,
        allow_inf_nan=False,
    )


class ApiModel(PlainModel):
    """A part of a manifest: it has rules across its fields, too."""

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:  # noqa: ARG003
        """Rules across fields that are told beside wrong fields, so that all faults are seen at once.

        ``raw`` is what was written, of any form: nothing may be taken for granted.
        """
        return iter(())

    def faults(self) -> Iterator[RuleFault]:
        """Rules across fields, of values that are each right by themselves."""
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        of_form = list(cls.faults_of_form(raw)) if isinstance(raw, Mapping) else []
        try:
            model = handler(raw)
        except ValidationError as error:
            raise with_rules(error, of_form) from error
        found = of_form or list(model.faults())
        if found:
            raise raised(cls.__name__, found)
        return model
