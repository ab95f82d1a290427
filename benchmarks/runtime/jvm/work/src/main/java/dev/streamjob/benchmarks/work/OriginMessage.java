package dev.streamjob.benchmarks.work;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.util.function.Consumer;

/** Reads the devices' messages token by token, without a tree. */
public final class OriginMessage {
    private static final JsonFactory JSON =
            JsonFactory.builder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build();

    private OriginMessage() {}

    /** Give each item of the payload that has an asset and a time. */
    public static void read(byte[] message, Consumer<Reading> taker) throws IOException {
        try (JsonParser parser = JSON.createParser(message)) {
            parser.nextToken();
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                if (parser.nextToken() == JsonToken.START_ARRAY && name.equals("payload")) {
                    while (parser.nextToken() == JsonToken.START_OBJECT) {
                        readItem(parser, taker);
                    }
                } else {
                    parser.skipChildren();
                }
            }
        }
    }

    private static void readItem(JsonParser parser, Consumer<Reading> taker) throws IOException {
        Reading reading = new Reading();
        reading.value = Double.NaN;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            parser.nextToken();
            switch (name) {
                case "assetId" -> reading.asset = parser.getText();
                case "time" -> reading.time = parser.getLongValue();
                case "measurepoints" -> reading.value = readPoint(parser);
                default -> parser.skipChildren();
            }
        }
        if (reading.asset != null && reading.time > 0) {
            taker.accept(reading);
        }
    }

    private static double readPoint(JsonParser parser) throws IOException {
        double value = Double.NaN;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            if (token.isNumeric() && name.equals("Reading")) {
                value = parser.getDoubleValue();
            } else {
                parser.skipChildren();
            }
        }
        return value;
    }
}
