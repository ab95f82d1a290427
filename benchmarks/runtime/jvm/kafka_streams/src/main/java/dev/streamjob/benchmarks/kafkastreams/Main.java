package dev.streamjob.benchmarks.kafkastreams;

import dev.streamjob.benchmarks.work.Arguments;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.Stores;

/** The work in Kafka Streams: a processor over a cached RocksDB store with a changelog. */
public final class Main {
    private Main() {}

    public static void main(String[] words) throws InterruptedException {
        Arguments arguments = new Arguments(words);
        CountDownLatch ended = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(topology(arguments), settings(arguments));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(70);
            return null;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    private static Topology topology(Arguments arguments) {
        var windows = Stores.keyValueStoreBuilder(
                        Stores.persistentKeyValueStore(OpenWindows.STORE), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingEnabled();
        String orgId = arguments.of("org-id");
        return new Topology()
                .addSource(
                        AutoOffsetReset.earliest(), "origin", new EventTime(), new ByteArrayDeserializer(),
                        new OriginDeserializer(), arguments.of("input-topic"))
                .addProcessor("windows", () -> new OpenWindows(orgId), "origin")
                .addStateStore(windows, "windows")
                .addSink(
                        "results", arguments.of("output-topic"), new ByteArraySerializer(), new ByteArraySerializer(),
                        "windows");
    }

    private static Properties settings(Arguments arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.of("output-topic"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.of("bootstrap-servers"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments.of("state"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments.of("cores"));
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments.of("saved-every-ms"));
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256 << 20);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 50);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        return settings;
    }
}
