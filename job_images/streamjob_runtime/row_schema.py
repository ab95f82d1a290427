"""The columns of ``rows.BlockRow`` as Spark and Arrow name them."""

from typing import Final

from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType, StructType

ROW_SCHEMA: Final = (
    StructType()
    .add("shard", IntegerType())
    .add("kind", IntegerType())
    .add("origin", StringType())
    .add("now", LongType())
    .add("block", BinaryType())
)
ARROW_SCHEMA: Final = to_arrow_schema(ROW_SCHEMA)
