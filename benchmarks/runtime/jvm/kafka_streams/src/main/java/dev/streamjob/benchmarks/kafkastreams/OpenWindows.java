package dev.streamjob.benchmarks.kafkastreams;

import dev.streamjob.benchmarks.work.Reading;
import dev.streamjob.benchmarks.work.WindowTotals;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Adds readings to their windows and closes windows as stream time passes their end.
 *
 * <p>Keys begin with the window's start, so that all that are to be closed lie side by side.
 */
final class OpenWindows implements Processor<byte[], Origin, byte[], byte[]> {
    static final String STORE = "open-windows";

    private final String orgId;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> windows;
    private long closeAt = Long.MIN_VALUE;

    OpenWindows(String orgId) {
        this.orgId = orgId;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        windows = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], Origin> record) {
        long open = WindowTotals.startOf(context.currentStreamTimeMs());
        for (Reading reading : record.value().readings) {
            if (reading.isWithinThreshold() && WindowTotals.startOf(reading.time) >= open) {
                add(reading);
            }
        }
        if (open >= closeAt) {
            closeBefore(open);
            closeAt = open + WindowTotals.LENGTH_MS;
        }
    }

    private void add(Reading reading) {
        long start = WindowTotals.startOf(reading.time);
        Bytes key = key(start, reading.asset);
        byte[] found = windows.get(key);
        WindowTotals totals = found == null
                ? new WindowTotals(reading.asset, start)
                : WindowTotals.fromBytes(reading.asset, start, found);
        totals.add(reading.value);
        windows.put(key, totals.toBytes());
    }

    private void closeBefore(long open) {
        List<Bytes> closed = new ArrayList<>();
        try (var found = windows.range(key(0, ""), key(open, ""))) {
            while (found.hasNext()) {
                var entry = found.next();
                closed.add(entry.key);
                forward(entry.key.get(), entry.value);
            }
        }
        closed.forEach(windows::delete);
    }

    private void forward(byte[] key, byte[] value) {
        long start = ByteBuffer.wrap(key).getLong();
        byte[] asset = new byte[key.length - Long.BYTES];
        System.arraycopy(key, Long.BYTES, asset, 0, asset.length);
        WindowTotals.fromBytes(new String(asset, StandardCharsets.UTF_8), start, value)
                .results(orgId, result -> context.forward(new Record<>(asset, result, start)));
    }

    private static Bytes key(long start, String asset) {
        byte[] name = asset.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(Long.BYTES + name.length).putLong(start).put(name).array());
    }
}
