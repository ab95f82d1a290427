package dev.streamjob.benchmarks.kafkastreams;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.processor.TimestampExtractor;

/** Stream time is the readings' time; the engine keeps it with its offsets. */
final class EventTime implements TimestampExtractor {
    @Override
    public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
        long time = ((Origin) record.value()).time;
        return time >= 0 ? time : partitionTime;
    }
}
