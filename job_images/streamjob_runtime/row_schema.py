"""The columns of ``rows.BlockRow`` as Spark and Arrow name them."""

from functools import cache
from typing import TYPE_CHECKING, Final

from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType, StructType

if TYPE_CHECKING:
    import pyarrow as pa

ROW_SCHEMA: Final = (
    StructType()
    .add("shard", IntegerType())
    .add("kind", IntegerType())
    .add("origin", StringType())
    .add("now", LongType())
    .add("block", BinaryType())
)


@cache
def arrow_schema() -> "pa.Schema":
    """The same for Arrow, which not all that know Spark's schema need."""
    from pyspark.sql.pandas.types import to_arrow_schema  # noqa: PLC0415

    return to_arrow_schema(ROW_SCHEMA)
