package dev.streamjob.benchmarks.flink;

import dev.streamjob.benchmarks.work.OriginMessage;
import dev.streamjob.benchmarks.work.Reading;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A message's readings. */
final class ReadingSchema implements KafkaRecordDeserializationSchema<Reading> {
    private static final long serialVersionUID = 1;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> message, Collector<Reading> readings) throws IOException {
        OriginMessage.read(message.value(), readings::collect);
    }

    @Override
    public TypeInformation<Reading> getProducedType() {
        return Types.POJO(Reading.class);
    }
}
