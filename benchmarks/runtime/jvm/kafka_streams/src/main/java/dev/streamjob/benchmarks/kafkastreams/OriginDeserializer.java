package dev.streamjob.benchmarks.kafkastreams;

import dev.streamjob.benchmarks.work.OriginMessage;
import java.io.IOException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/** Bytes to readings. */
final class OriginDeserializer implements Deserializer<Origin> {
    @Override
    public Origin deserialize(String topic, byte[] message) {
        Origin origin = new Origin();
        try {
            OriginMessage.read(message, origin::add);
        } catch (IOException error) {
            throw new SerializationException(error);
        }
        return origin;
    }
}
