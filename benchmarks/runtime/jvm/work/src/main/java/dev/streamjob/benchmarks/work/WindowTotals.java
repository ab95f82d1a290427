package dev.streamjob.benchmarks.work;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** What one ten-minute window of one asset adds up to, and the results that come of it. */
public final class WindowTotals {
    /** Length of a window, which is {@code [start, start + LENGTH_MS)}, aligned to the epoch. */
    public static final long LENGTH_MS = 600_000;
    /** Length of {@link #toBytes}. */
    public static final int BYTES = 32;

    public String asset;
    /** The window's start, epoch milliseconds. */
    public long start;
    public double max = Double.NEGATIVE_INFINITY;
    public double min = Double.POSITIVE_INFINITY;
    public double sum;
    public long count;

    public WindowTotals() {}

    public WindowTotals(String asset, long start) {
        this.asset = asset;
        this.start = start;
    }

    public static long startOf(long time) {
        return Math.floorDiv(time, LENGTH_MS) * LENGTH_MS;
    }

    public void add(double value) {
        max = Math.max(max, value);
        min = Math.min(min, value);
        sum += value;
        count++;
    }

    public WindowTotals merge(WindowTotals other) {
        max = Math.max(max, other.max);
        min = Math.min(min, other.min);
        sum += other.sum;
        count += other.count;
        return this;
    }

    public byte[] toBytes() {
        return ByteBuffer.allocate(BYTES).putDouble(max).putDouble(min).putDouble(sum).putLong(count).array();
    }

    /** The reverse of {@link #toBytes}; asset and start are where the bytes were found. */
    public static WindowTotals fromBytes(String asset, long start, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        WindowTotals totals = new WindowTotals(asset, start);
        totals.max = buffer.getDouble();
        totals.min = buffer.getDouble();
        totals.sum = buffer.getDouble();
        totals.count = buffer.getLong();
        return totals;
    }

    /** Give the four messages of the window. */
    public void results(String orgId, Consumer<byte[]> taker) {
        taker.accept(result(orgId, "max", "MaxReading10Min", Double.toString(max)));
        taker.accept(result(orgId, "min", "MinReading10Min", Double.toString(min)));
        taker.accept(result(orgId, "sum", "SumReading10Min", Double.toString(sum)));
        taker.accept(result(orgId, "cnt", "CntReading10Min", Long.toString(count)));
    }

    private byte[] result(String orgId, String kind, String point, String value) {
        StringBuilder text = new StringBuilder(256);
        text.append("{\"orgId\":\"").append(orgId);
        text.append("\",\"modelId\":\"ElectricMeter\",\"modelIdPath\":\"/ElectricMeter\",\"assetId\":\"");
        JsonStringEncoder.getInstance().quoteAsString(asset, text);
        text.append("\",\"pointId\":\"").append(point).append("\",\"time\":").append(start);
        text.append(",\"value\":").append(value);
        text.append(",\"quality\":0,\"attr\":{\"windowAggregator\":{\"calType\":\"").append(kind);
        text.append("\",\"calMode\":\"final\"}}}");
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
