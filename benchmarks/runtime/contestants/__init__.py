"""All contestants, in the order of tables."""

from benchmarks.runtime.contestant import Contestant
from benchmarks.runtime.contestants import floors
from benchmarks.runtime.contestants.bytewax import Bytewax
from benchmarks.runtime.contestants.flink import Flink
from benchmarks.runtime.contestants.kafka_streams import KafkaStreams
from benchmarks.runtime.contestants.pyspark import Pyspark
from benchmarks.runtime.contestants.quix import Quix
from benchmarks.runtime.contestants.streamjob import Streamjob

ALL: tuple[Contestant, ...] = (
    Streamjob(),
    Pyspark(),
    KafkaStreams(),
    Flink(),
    Bytewax(),
    Quix(),
    floors.CONSUME,
    floors.POLARS,
)
BY_KEY = {contestant.facts.key: contestant for contestant in ALL}
