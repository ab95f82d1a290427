package dev.streamjob.benchmarks.work;

/** A meter's reading. Its fields are open, so that engines may make and reuse it as they like. */
public final class Reading {
    public String asset;
    /** When it was read, epoch milliseconds. */
    public long time;
    /** NaN where the message has no such point. */
    public double value;

    public boolean isWithinThreshold() {
        return value >= 0 && value < 1e6;
    }
}
