package dev.streamjob.benchmarks.flink;

import dev.streamjob.benchmarks.work.Arguments;
import dev.streamjob.benchmarks.work.Reading;
import dev.streamjob.benchmarks.work.WindowTotals;
import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;

/** Readings are added up where they are read; only these sums go to their key's window. */
final class DataStreamJob {
    private DataStreamJob() {}

    static void run(StreamExecutionEnvironment environment, Arguments arguments) throws Exception {
        var watermarks = WatermarkStrategy.<Reading>forMonotonousTimestamps()
                .withTimestampAssigner((reading, none) -> reading.time);
        environment
                .fromSource(source(arguments), watermarks, "origin")
                .transform("local windows", Types.POJO(WindowTotals.class), new LocalWindows())
                .keyBy(totals -> totals.asset)
                .window(TumblingEventTimeWindows.of(Duration.ofMillis(WindowTotals.LENGTH_MS)))
                .reduce(WindowTotals::merge)
                .flatMap(new Results(arguments.of("org-id")))
                .returns(Types.POJO(Result.class))
                .sinkTo(sink(arguments));
        environment.execute("windows");
    }

    private static KafkaSource<Reading> source(Arguments arguments) {
        return KafkaSource.<Reading>builder()
                .setBootstrapServers(arguments.of("bootstrap-servers"))
                .setTopics(arguments.of("input-topic"))
                .setGroupId(arguments.of("output-topic"))
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setDeserializer(new ReadingSchema())
                .setProperty("max.poll.records", "5000")
                .setProperty("max.partition.fetch.bytes", String.valueOf(4 << 20))
                .build();
    }

    private static KafkaSink<Result> sink(Arguments arguments) {
        Properties producer = new Properties();
        producer.put("linger.ms", "50");
        producer.put("batch.size", String.valueOf(256 << 10));
        producer.put("compression.type", "lz4");
        return KafkaSink.<Result>builder()
                .setBootstrapServers(arguments.of("bootstrap-servers"))
                .setKafkaProducerConfig(producer)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .setRecordSerializer(new ResultSchema(arguments.of("output-topic")))
                .build();
    }
}
