package dev.streamjob.benchmarks.flink;

import dev.streamjob.benchmarks.work.Reading;
import dev.streamjob.benchmarks.work.WindowTotals;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Adds up the readings of this subtask before they are sent to their keys, as Flink SQL does by its local aggregate.
 *
 * <p>It has no state of its own: everything is sent on before a checkpoint's barrier, a window before the watermark
 * that closes it, and all when there are many.
 */
final class LocalWindows extends AbstractStreamOperator<WindowTotals>
        implements OneInputStreamOperator<Reading, WindowTotals> {
    private static final long serialVersionUID = 1;
    private static final int MANY = 100_000;

    private transient TreeMap<Long, Map<String, WindowTotals>> windows;
    private transient Map<String, WindowTotals> recent;
    private transient long recentStart;
    private transient int held;

    @Override
    public void open() throws Exception {
        super.open();
        windows = new TreeMap<>();
        recentStart = Long.MIN_VALUE;
    }

    @Override
    public void processElement(StreamRecord<Reading> record) {
        Reading reading = record.getValue();
        if (!reading.isWithinThreshold()) {
            return;
        }
        Map<String, WindowTotals> window = window(WindowTotals.startOf(reading.time));
        WindowTotals totals = window.get(reading.asset);
        if (totals == null) {
            totals = new WindowTotals(reading.asset, recentStart);
            window.put(reading.asset, totals);
            held++;
        }
        totals.add(reading.value);
        if (held >= MANY) {
            sendAll();
        }
    }

    private Map<String, WindowTotals> window(long start) {
        if (start != recentStart) {
            recent = windows.computeIfAbsent(start, none -> new HashMap<>());
            recentStart = start;
        }
        return recent;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        while (!windows.isEmpty() && windows.firstKey() + WindowTotals.LENGTH_MS - 1 <= mark.getTimestamp()) {
            send(windows.pollFirstEntry().getValue());
        }
        super.processWatermark(mark);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        sendAll();
    }

    @Override
    public void finish() throws Exception {
        sendAll();
        super.finish();
    }

    private void sendAll() {
        while (!windows.isEmpty()) {
            send(windows.pollFirstEntry().getValue());
        }
    }

    private void send(Map<String, WindowTotals> window) {
        recentStart = Long.MIN_VALUE; // the window may be the recent one
        held -= window.size();
        for (WindowTotals totals : window.values()) {
            output.collect(new StreamRecord<>(totals, totals.start));
        }
    }
}
