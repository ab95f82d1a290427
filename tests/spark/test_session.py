"""The session against the Spark that is installed."""

from pyspark.sql import SparkSession

from streamjob_runtime.jvm import MODULE_OPTIONS


def test_a_jvm_is_told_what_sparks_launcher_would_tell_it(spark: SparkSession) -> None:
    launcher = spark._jvm.org.apache.spark.launcher.JavaModuleOptions  # type: ignore[union-attr]
    assert tuple(launcher.defaultModuleOptionArray()) == MODULE_OPTIONS
