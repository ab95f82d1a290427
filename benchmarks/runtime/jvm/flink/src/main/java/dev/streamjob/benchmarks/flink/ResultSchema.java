package dev.streamjob.benchmarks.flink;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A result as a message, keyed by its asset. */
final class ResultSchema implements KafkaRecordSerializationSchema<Result> {
    private static final long serialVersionUID = 1;

    private final String topic;

    ResultSchema(String topic) {
        this.topic = topic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(Result result, KafkaSinkContext context, Long timestamp) {
        return new ProducerRecord<>(topic, null, result.time, result.key, result.value);
    }
}
