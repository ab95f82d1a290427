"""Values that a manifest writes as a string of a known form: durations, intervals, points, expressions."""

from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from streamjob_api.spelling import typed


class Written:
    """A value that is parsed from a string and prints as what was written, so that no manifest is ever rewritten.

    ``PATTERN`` is None for a form that no regular expression describes.
    """

    PATTERN: ClassVar[str | None] = None
    MAX_LENGTH: ClassVar[int]
    EXAMPLE: ClassVar[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the string form.

        Raises:
            ValueError: saying what is wrong and how the value is written.
        """
        raise NotImplementedError

    @classmethod
    def _validate(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            # [0, 100] without quotes is a list to YAML.
            quoted = ", in quotes" if isinstance(value, list) else ""
            raise ValueError(f"expected a text, got {typed(value)}; write {cls.EXAMPLE}{quoted}")
        # A hostile manifest's megabytes must not reach a regular expression or become a number.
        if len(value) > cls.MAX_LENGTH:
            raise ValueError(f"too long: {len(value)} characters, at most {cls.MAX_LENGTH}; write {cls.EXAMPLE}")
        return cls.parse(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        form = {"minLength": 1} if cls.PATTERN is None else {"pattern": cls.PATTERN}
        return {"type": "string", **form, "maxLength": cls.MAX_LENGTH}
